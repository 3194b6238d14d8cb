"""How people prove who they are: sessions, second factors, identity providers, provisioning from outside, support."""
