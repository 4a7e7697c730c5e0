"""Deploys template.yaml, with the differences of differences.py, to the local AWS."""

import json
import time
from collections.abc import Mapping
from typing import Any

from infra.local.build import code, libraries
from infra.local.differences import LocalSetup, Timeouts, localised
from infra.local.ministack import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from infra.local.server import SetupError
from infra.ops import template
from infra.ops.stack import Stack

STACK_NAME = "pigeonhole"
DEPLOY_BUCKET = "deploy"
DEPLOY_SECONDS = 120.0
# Every worker is a process: more of them compete for the few processors of a laptop.
NUMBER_PARAMETERS = {"MaximumConcurrency": 2}


def deploy(
    endpoint_url: str,
    *,
    claude_url: str | None,
    api_key: str,
    parameters: Mapping[str, str],
    taxonomy: str | None = None,
    timeouts: Timeouts | None = None,
) -> Stack:
    """Deploy the stack and wait until it is complete; SetupError if it fails.

    Without `claude_url` the functions call the real Claude API, with `api_key`. `parameters` are the
    template's, `taxonomy` is the text of a taxonomy file, `timeouts` replace those of the template.
    """
    bare = Stack(
        endpoint_url=endpoint_url,
        region=REGION,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        claude_url=claude_url,
        outputs={},
    )
    values = {**parameters, "ApiKeySecretArn": _secret(bare, api_key)}
    if claude_url:
        values["ClaudeBaseUrl"] = claude_url
    bare.client("s3").create_bucket(
        Bucket=DEPLOY_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    code_uri = _upload(bare, "functions.zip", code())
    if taxonomy:
        values["TaxonomyUri"] = _upload(bare, "taxonomy.toml", taxonomy.encode())
    setup = LocalSetup(
        code_uri=code_uri, libraries=str(libraries()), numbers=NUMBER_PARAMETERS, timeouts=timeouts
    )
    outputs = _create(bare.client("cloudformation"), localised(template.load(), setup), values)
    return Stack(
        endpoint_url=endpoint_url,
        region=REGION,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        claude_url=claude_url,
        outputs=outputs,
    )


def _secret(stack: Stack, api_key: str) -> str:
    secret = stack.client("secretsmanager").create_secret(
        Name="pigeonhole/claude-api-key", SecretString=api_key
    )
    return str(secret["ARN"])


def _upload(stack: Stack, key: str, body: bytes) -> str:
    """Put what the deployment needs into its bucket; returns the S3 URI."""
    stack.client("s3").put_object(Bucket=DEPLOY_BUCKET, Key=key, Body=body)
    return f"s3://{DEPLOY_BUCKET}/{key}"


def _create(cloudformation: Any, local: template.Template, parameters: Mapping[str, str]) -> dict[str, str]:
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateBody=json.dumps(local, separators=(",", ":")),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + DEPLOY_SECONDS
    while (stack := _describe(cloudformation))["StackStatus"] == "CREATE_IN_PROGRESS":
        if time.monotonic() > deadline:
            raise SetupError(f"template.yaml was not deployed to the local AWS within {DEPLOY_SECONDS:.0f} s")
        time.sleep(0.1)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise SetupError(f"template.yaml cannot be deployed to the local AWS: {_why(cloudformation, stack)}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _describe(cloudformation: Any) -> dict[str, Any]:
    (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    return dict(stack)


def _why(cloudformation: Any, stack: Mapping[str, Any]) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")]
    reasons = [f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '?')}" for e in reversed(failed)]
    return "; ".join([str(stack.get("StackStatusReason", stack["StackStatus"])), *reasons])
