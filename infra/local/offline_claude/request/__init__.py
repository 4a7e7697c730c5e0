"""From a JSON body to a valid request, or the documented 400: parameters, schema, content blocks, images."""
