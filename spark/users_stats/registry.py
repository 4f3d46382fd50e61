"""Writer schemas from a Confluent-compatible Schema Registry, by the id in front of a message."""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request

ATTEMPTS = 4
TIMEOUT_SECONDS = 10
UNKNOWN_SCHEMA = 40403
"""What a registry answers, in `error_code`, for an id that it never gave out."""


class RegistryUnavailableError(Exception):
    """The registry gives no answer that could be used; says nothing about the messages."""


class SchemaRegistry:
    """Looks schemas up and remembers those that exist: a registered schema never changes.

    The URL may carry `user:password@` for basic authentication. https is checked against the system's authorities,
    or those of SSL_CERT_FILE.
    """

    def __init__(self, url: str):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the schema registry is not http://HOST:PORT or https://HOST:PORT")
        host = parts.netloc.rpartition("@")[2]
        self._base = urllib.parse.urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if parts.username is not None:
            user, password = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
            self._headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._schemas: dict[int, str] = {}

    def schema(self, schema_id: int) -> str | None:
        """Return the Avro schema as JSON text, or none when the registry has no Avro schema of that id.

        Raises `RegistryUnavailableError` when the registry does not answer, after a few attempts.
        """
        if schema_id not in self._schemas:
            schema = self._fetch(schema_id)
            if schema is None:
                return None
            self._schemas[schema_id] = schema
        return self._schemas[schema_id]

    def _fetch(self, schema_id: int) -> str | None:
        request = urllib.request.Request(f"{self._base}/schemas/ids/{schema_id}", headers=self._headers)  # noqa: S310
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
                    answer = json.load(response)
                return answer["schema"] if answer.get("schemaType", "AVRO") == "AVRO" else None
            except urllib.error.HTTPError as error:
                if error.code == 404 and _is_unknown_schema(error):
                    return None
                if error.code in (401, 403):
                    raise RegistryUnavailableError(
                        f"{self._base} refuses schema {schema_id} with {error.code}; put user:password@ into its URL"
                    ) from error
                failure = error
            except (OSError, ValueError, KeyError) as error:
                failure = error
            if attempt < ATTEMPTS:
                time.sleep(0.2 * 4 ** (attempt - 1))
        raise RegistryUnavailableError(
            f"{self._base} does not answer for schema {schema_id}; is it up, and is its path complete?"
        ) from failure


def _is_unknown_schema(error: urllib.error.HTTPError) -> bool:
    """Tell the registry's 404 for an id from that of a proxy, or of a wrong path, which says nothing about the id."""
    try:
        return json.load(error).get("error_code") == UNKNOWN_SCHEMA
    except (ValueError, AttributeError):
        return False
