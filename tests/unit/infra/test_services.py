"""What the operator's commands say of a stack whose functions cannot start."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.ops.services import operator
from infra.ops.stack import Stack, StackError

VARIABLES = dict.fromkeys(
    (
        "INBOX_BUCKET",
        "DOCUMENTS_TABLE",
        "LEDGER_TABLE",
        "ARTIFACTS_BUCKET",
        "INTAKE_QUEUE_URL",
        "ESCALATION_QUEUE_URL",
        "API_KEY_SECRET_ARN",
        "EVENT_BUS_NAME",
    ),
    "ours",
) | {"TAXONOMY_URI": "s3://own/taxonomy.toml"}


class Aws:
    """A fake of Lambda and S3 that has the settings and the taxonomy."""

    def __init__(self, taxonomy: bytes | None) -> None:
        self.taxonomy = taxonomy

    def get_function_configuration(self, **_: Any) -> dict[str, Any]:
        return {"Environment": {"Variables": VARIABLES}}

    def get_object(self, **_: Any) -> dict[str, Any]:
        if self.taxonomy is None:
            missing = {"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(missing, "GetObject")  # type: ignore[arg-type]  # as much of it as is read
        return {"Body": io.BytesIO(self.taxonomy)}


@pytest.mark.parametrize(
    ("taxonomy", "why"),
    [(None, "NoSuchKey"), (b"\xfc", "utf-8"), (b"[[category", "not TOML"), (b"[[category]]", "is wrong")],
)
def test_an_invalid_taxonomy_is_an_error_that_names_it_and_the_reason(taxonomy: bytes | None, why: str):
    aws = Aws(taxonomy)
    stack = Stack(
        endpoint_url=None,
        region="eu-west-1",
        access_key_id=None,
        secret_access_key=None,
        claude_url=None,
        outputs={"TriageFunction": "triage"},
        _clients=dict.fromkeys(("lambda", "s3", "sqs", "dynamodb", "events"), aws),
    )
    with pytest.raises(StackError, match=r"taxonomy s3://own/taxonomy\.toml cannot be used") as exc_info:
        operator(stack)
    assert why in str(exc_info.value)
