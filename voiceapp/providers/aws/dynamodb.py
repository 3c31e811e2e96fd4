"""A DynamoDB table that stores each item once, by its key, until it expires."""

from __future__ import annotations

from collections.abc import Mapping

from .client import FAULTS, AwsError, aws_client, aws_error

SERVICE = "dynamodb"
CREATED_WITHIN_S = 60
CHECKED_EVERY_S = 1


class AwsTable:
    """One table by its name. Every method blocks and raises AwsError."""

    def __init__(self, name: str, *, key: str, ttl: str) -> None:
        """`key` is the partition key (a string), `ttl` the attribute with the expiry in whole epoch seconds."""
        self._name, self._key, self._ttl = name, key, ttl

    def keep(self, item: Mapping[str, str | int]) -> bool:
        """Put the item. False if one with its key exists, which stays unchanged."""
        try:
            aws_client(SERVICE).put_item(
                TableName=self._name,
                Item={name: _typed(value) for name, value in item.items()},
                ConditionExpression="attribute_not_exists(#key)",
                ExpressionAttributeNames={"#key": self._key},
            )
        except FAULTS as exc:
            error = aws_error(SERVICE, exc)
            if error.code == "ConditionalCheckFailedException":
                return False
            raise error from exc
        return True

    def expires_items(self) -> bool:
        """Whether DynamoDB expires items by that attribute. Raises AwsError if there is no such table."""
        try:
            response = aws_client(SERVICE).describe_time_to_live(TableName=self._name)["TimeToLiveDescription"]
        except FAULTS as exc:
            raise aws_error(SERVICE, exc) from exc
        is_on = response.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
        return is_on and response.get("AttributeName") == self._ttl

    def create(self) -> None:
        """Create the table unless it exists, billed per request, with expiry of its items."""
        client = aws_client(SERVICE)
        try:
            self._create(client)
            pause = {"Delay": CHECKED_EVERY_S, "MaxAttempts": CREATED_WITHIN_S // CHECKED_EVERY_S}
            client.get_waiter("table_exists").wait(TableName=self._name, WaiterConfig=pause)
            if not self.expires_items():
                expiry = {"Enabled": True, "AttributeName": self._ttl}
                client.update_time_to_live(TableName=self._name, TimeToLiveSpecification=expiry)
        except FAULTS as exc:
            raise aws_error(SERVICE, exc) from exc

    def _create(self, client: object) -> None:
        try:
            client.create_table(  # type: ignore[attr-defined]
                TableName=self._name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": self._key, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": self._key, "KeyType": "HASH"}],
            )
        except FAULTS as exc:
            error: AwsError = aws_error(SERVICE, exc)
            if error.code != "ResourceInUseException":
                raise


def _typed(value: str | int) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": value}
