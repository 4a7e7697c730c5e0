"""The stand-ins for AWS and for Claude on this machine; they listen on 127.0.0.1 only."""
