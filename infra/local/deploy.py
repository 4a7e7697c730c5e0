"""Puts template.yaml, but for the listed differences, onto the local AWS, and says where its parts are."""

import json
import time
from collections.abc import Mapping
from typing import Any

from infra.local.build import code, libraries
from infra.local.differences import Here, Waits, localised
from infra.local.ministack import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from infra.local.server import SetupError
from infra.ops import template
from infra.ops.stack import Stack

STACK_NAME = "pigeonhole"
BESIDE = "deploy"
DEPLOY_SECONDS = 120.0
# Every worker is a process of its own, so more of them than this only get into each other's way on a laptop.
NUMBERS = {"MaximumConcurrency": 2}


def deploy(
    endpoint_url: str,
    *,
    claude_url: str | None,
    api_key: str,
    parameters: Mapping[str, str],
    taxonomy: str | None = None,
    waits: Waits | None = None,
) -> Stack:
    """Without `claude_url` the functions ask the real Claude, with this key."""
    bare = Stack(
        endpoint_url=endpoint_url,
        region=REGION,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        claude_url=claude_url,
        outputs={},
    )
    given = {**parameters, "ApiKeySecretArn": _secret(bare, api_key)}
    if claude_url:
        given["ClaudeBaseUrl"] = claude_url
    bare.client("s3").create_bucket(Bucket=BESIDE, CreateBucketConfiguration={"LocationConstraint": REGION})
    code_uri = _kept(bare, "functions.zip", code())
    if taxonomy:
        given["TaxonomyUri"] = _kept(bare, "taxonomy.toml", taxonomy.encode())
    here = Here(code_uri=code_uri, libraries=str(libraries()), numbers=NUMBERS, waits=waits)
    outputs = _create(bare.client("cloudformation"), localised(template.load(), here), given)
    return Stack(
        endpoint_url=endpoint_url,
        region=REGION,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        claude_url=claude_url,
        outputs=outputs,
    )


def _secret(stack: Stack, api_key: str) -> str:
    made = stack.client("secretsmanager").create_secret(
        Name="pigeonhole/claude-api-key", SecretString=api_key
    )
    return str(made["ARN"])


def _kept(stack: Stack, key: str, body: bytes) -> str:
    """What has to be there before the stack is."""
    stack.client("s3").put_object(Bucket=BESIDE, Key=key, Body=body)
    return f"s3://{BESIDE}/{key}"


def _create(cloudformation: Any, local: template.Template, parameters: Mapping[str, str]) -> dict[str, str]:
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateBody=json.dumps(local, separators=(",", ":")),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + DEPLOY_SECONDS
    while (stack := _described(cloudformation))["StackStatus"] == "CREATE_IN_PROGRESS":
        if time.monotonic() > deadline:
            raise SetupError(f"template.yaml was not deployed in {DEPLOY_SECONDS:.0f} s on the local AWS")
        time.sleep(0.1)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise SetupError(f"template.yaml cannot be deployed on the local AWS: {_why(cloudformation, stack)}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _described(cloudformation: Any) -> dict[str, Any]:
    (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    return dict(stack)


def _why(cloudformation: Any, stack: Mapping[str, Any]) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")]
    reasons = [f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '?')}" for e in reversed(failed)]
    return "; ".join([str(stack.get("StackStatusReason", stack["StackStatus"])), *reasons])
