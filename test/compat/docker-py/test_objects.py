"""Secrets, configs and networks."""
import unittest

import docker
from docker.types import IPAMConfig, IPAMPool

from base import SwarmCase


class Secrets(SwarmCase):
    def test_life_of_a_secret(self):
        created = self.api.create_secret("favorite", "sweet", labels={"a": "1"})
        found = self.api.inspect_secret(created["ID"])
        self.assertEqual(found["Spec"], {"Name": "favorite", "Labels": {"a": "1"}})
        self.assertTrue(found["Version"]["Index"])
        names = lambda **filters: [s["Spec"]["Name"] for s in self.api.secrets(filters=filters or None)]
        self.assertEqual(names(), ["favorite"])
        self.assertEqual(names(name=["favorite"]), ["favorite"])
        self.assertEqual(names(names=["favor"]), [])
        self.assertEqual(names(label=["a=1"]), ["favorite"])
        self.assertRefused(409, "secret favorite already exists", self.api.create_secret, "favorite", "x")
        self.assertTrue(self.api.remove_secret("favorite"))
        with self.assertRaises(docker.errors.NotFound):
            self.api.inspect_secret(created["ID"])

    def test_names_and_bytes_of_any_kind(self):
        with self.assertRaises(docker.errors.APIError):
            self.api.create_secret("\u00e4", "x")
        self.assertTrue(self.api.create_secret("binary", bytes(range(256)))["ID"])

    def test_high_level_secrets(self):
        secret = self.client.secrets.create(name="model", data="x", labels={"l": "1"})
        self.assertEqual(self.client.secrets.get(secret.id).name, "model")
        self.assertEqual(len(self.client.secrets.list(filters={"names": ["model"]})), 1)
        secret.remove()
        self.assertEqual(self.client.secrets.list(), [])


class Configs(SwarmCase):
    def test_life_of_a_config(self):
        created = self.api.create_config("conf", "data", labels={"a": "1"})
        found = self.api.inspect_config(created["ID"])
        self.assertEqual(found["Spec"], {"Name": "conf", "Labels": {"a": "1"}, "Data": "ZGF0YQ=="})
        self.assertEqual([c["ID"] for c in self.api.configs(filters={"name": ["conf"]})], [created["ID"]])
        self.assertEqual(self.api.configs(filters={"name": ["other"]}), [])
        self.assertRefused(409, "config conf already exists", self.api.create_config, "conf", "x")
        self.assertTrue(self.api.remove_config(created["ID"]))
        with self.assertRaises(docker.errors.NotFound):
            self.api.inspect_config("conf")

    def test_high_level_configs(self):
        config = self.client.configs.create(name="model", data="x")
        self.assertEqual(self.client.configs.get(config.id).name, "model")
        self.assertEqual(len(self.client.configs.list()), 1)
        config.remove()
        self.assertEqual(self.client.configs.list(), [])


class Networks(SwarmCase):
    def made(self, name, **options):
        created = self.api.create_network(name, **options)
        self.addCleanup(self.api.remove_network, created["Id"])
        return self.api.inspect_network(created["Id"])

    def test_overlay_networks(self):
        found = self.made(
            "py-over",
            driver="overlay",
            attachable=True,
            internal=True,
            labels={"a": "b"},
            options={"encrypted": ""},
            ipam=IPAMConfig(driver="default", pool_configs=[IPAMPool(subnet="10.77.9.0/24", gateway="10.77.9.1")]),
        )
        self.assertEqual((found["Name"], found["Driver"], found["Scope"]), ("py-over", "overlay", "swarm"))
        self.assertEqual((found["Attachable"], found["Internal"], found["Ingress"]), (True, True, False))
        self.assertEqual(found["Labels"], {"a": "b"})
        self.assertEqual(found["IPAM"]["Config"][0]["Subnet"], "10.77.9.0/24")
        self.assertEqual(self.api.inspect_network("py-over", scope="swarm")["Id"], found["Id"])
        with self.assertRaises(docker.errors.NotFound):
            self.api.inspect_network("py-over", scope="local")
        self.assertRefused(
            409, "network with name py-over already exists", self.api.create_network, "py-over", driver="overlay"
        )

    def test_local_networks_stand_beside_them(self):
        local = self.made("py-local")
        swarm = self.made("py-swarm", driver="overlay")
        self.assertEqual((local["Scope"], local["Driver"]), ("local", "bridge"))
        self.assertEqual(self.api.inspect_network("py-local", scope="local")["Id"], local["Id"])
        with self.assertRaises(docker.errors.NotFound):
            self.api.inspect_network("py-local", scope="swarm")
        names = lambda **options: sorted(n["Name"] for n in self.api.networks(**options) if n["Name"].startswith("py-"))
        self.assertEqual(names(), ["py-local", "py-swarm"])
        self.assertEqual(names(names=["py-local"]), ["py-local"])
        self.assertEqual(names(ids=[swarm["Id"]]), ["py-swarm"])
        self.assertEqual(names(filters={"scope": "swarm"}), ["py-swarm"])
        self.assertEqual(names(filters={"driver": "bridge"}), ["py-local"])
        self.assertEqual(
            {n["Name"] for n in self.api.networks(filters={"type": "builtin"})}, {"bridge", "host", "none"}
        )

    def test_the_ingress_network_is_replaced(self):
        [ingress] = self.api.networks(filters={"name": "ingress"})
        self.assertTrue(ingress["Ingress"])
        self.assertRefused(
            409, "is already present", self.api.create_network, "second", driver="overlay", ingress=True
        )
        self.api.remove_network("ingress")
        found = self.api.create_network("py-ingress", driver="overlay", ingress=True)
        self.assertTrue(self.api.inspect_network(found["Id"])["Ingress"])

    def test_high_level_networks(self):
        network = self.client.networks.create("py-model", driver="overlay", attachable=True)
        self.addCleanup(network.remove)
        self.assertEqual(self.client.networks.get(network.id, scope="swarm").name, "py-model")
        self.assertIn(network.id, [n.id for n in self.client.networks.list(names=["py-model"])])

    def test_prune_takes_what_nothing_uses(self):
        self.api.create_network("py-unused", driver="overlay", labels={"py": "1"})
        self.api.create_network("py-unused-local", labels={"py": "1"})
        pruned = self.api.prune_networks(filters={"label": ["py=1"]})
        self.assertEqual(sorted(pruned["NetworksDeleted"]), ["py-unused", "py-unused-local"])


if __name__ == "__main__":
    unittest.main()
