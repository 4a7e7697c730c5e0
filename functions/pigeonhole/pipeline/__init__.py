"""The use cases, one module a Lambda function: how a document travels, top to bottom."""
