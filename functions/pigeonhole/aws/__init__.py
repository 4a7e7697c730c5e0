"""AWS behind the ports: the only importer of boto3; one store a file, errors classified in faults.py."""
