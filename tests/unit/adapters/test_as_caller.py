"""Whoever calls is forwarded with nothing of makima's own."""

from __future__ import annotations

from kubernetes.aio.client import Configuration

from makima.adapters.kubernetes.as_caller import without_credentials


async def test_a_forwarded_call_has_the_api_servers_address_and_nobodys_credentials() -> None:
    own = Configuration()
    own.host, own.ssl_ca_cert, own.tls_server_name = "https://api.example", "/ca.crt", "kubernetes"
    own.cert_file, own.key_file = "/client.crt", "/client.key"
    own.api_key = {"BearerToken": "Bearer ours"}
    own.username, own.password = "makima", "secret"
    bare = without_credentials(own)
    assert (bare.host, bare.ssl_ca_cert, bare.tls_server_name) == ("https://api.example", "/ca.crt", "kubernetes")
    assert not bare.cert_file and not bare.key_file and not bare.username and not bare.password
    assert await bare.get_api_key_with_prefix("BearerToken", alias="authorization") is None
    assert bare.verify_ssl is own.verify_ssl
