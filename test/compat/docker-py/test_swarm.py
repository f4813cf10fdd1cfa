"""Founding, joining, changing and leaving swarms on one daemon, again and again."""
import os
import time
import unittest

import docker

from base import ClientCase, random_listen_address

ROUNDS = 30


class SwarmLife(ClientCase):
    def tearDown(self):
        try:
            self.api.leave_swarm(force=True)
        except docker.errors.APIError as error:
            self.assertEqual(error.response.status_code, 503)

    def init(self, **options):
        return self.api.init_swarm("127.0.0.1", listen_addr=random_listen_address(), **options)

    def state(self):
        return self.api.info()["Swarm"]["LocalNodeState"]

    def test_init_join_and_leave_many_times(self):
        inits, joins = [], []
        nodes = set()
        other = docker.DockerClient(os.environ["SWARMD_TEST_OTHER_HOST"], timeout=60).api
        other_address = random_listen_address()
        other.init_swarm(other_address, listen_addr=other_address)
        token = other.inspect_swarm()["JoinTokens"]["Worker"]
        for _ in range(ROUNDS):
            started = time.monotonic()
            nodes.add(self.init())
            inits.append(time.monotonic() - started)
            self.assertEqual(self.state(), "active")
            self.assertEqual([node["Status"]["State"] for node in self.api.nodes()], ["ready"])
            self.assertTrue(self.api.leave_swarm(force=True))
            self.assertEqual(self.state(), "inactive")
            started = time.monotonic()
            self.assertTrue(self.api.join_swarm([other_address], token, random_listen_address(), "127.0.0.1"))
            joins.append(time.monotonic() - started)
            nodes.add(self.api.info()["Swarm"]["NodeID"])
            self.assertTrue(self.api.leave_swarm())
        other.leave_swarm(force=True)
        other.close()
        self.assertEqual(len(nodes), 2 * ROUNDS)
        for name, durations in (("init", inits), ("join", joins)):
            print(f"{name}: {' '.join(f'{seconds:.3f}' for seconds in durations)} s, longest {max(durations):.3f} s")

    def test_init_gives_the_node_id_as_text(self):
        node_id = self.init()
        self.assertRegex(node_id, "^[0-9a-z]{25}$")
        self.assertEqual(self.api.inspect_node(node_id)["ID"], node_id)
        self.assertEqual(self.api.info()["Swarm"]["NodeID"], node_id)

    def test_init_twice_is_refused(self):
        self.init()
        self.assertRefused(503, "This node is already part of a swarm", self.init)
        self.assertRefused(
            503,
            "This node is already part of a swarm",
            self.api.join_swarm,
            remote_addrs=["127.0.0.1:1"],
            join_token="x",
            listen_addr=random_listen_address(),
        )

    def test_a_manager_leaves_only_when_forced(self):
        self.assertRefused(503, "This node is not part of a swarm", self.api.leave_swarm)
        self.init()
        self.assertRefused(503, "participating as a manager", self.api.leave_swarm)
        self.assertEqual(self.state(), "active")
        self.assertTrue(self.api.leave_swarm(force=True))
        self.assertEqual(self.state(), "inactive")
        # Leaving by force what one is not in is no failure to docker-py.
        self.assertTrue(self.api.leave_swarm(force=True))

    def test_nothing_of_the_swarm_is_served_outside(self):
        for call in (self.api.nodes, self.api.services, self.api.inspect_swarm, self.api.tasks, self.api.secrets):
            self.assertRefused(503, "This node is not a swarm manager", call)

    def test_settings_of_the_swarm_are_kept(self):
        spec = self.api.create_swarm_spec(
            task_history_retention_limit=3,
            snapshot_interval=5000,
            keep_old_snapshots=1,
            log_entries_for_slow_followers=1200,
            heartbeat_tick=2,
            election_tick=10,
            dispatcher_heartbeat_period=6_000_000_000,
            node_cert_expiry=7_776_000_000_000_000,
            labels={"team": "one"},
        )
        self.init(swarm_spec=spec)
        found = self.api.inspect_swarm()
        self.assertEqual(found["Spec"]["Raft"]["SnapshotInterval"], 5000)
        self.assertEqual(found["Spec"]["Raft"]["LogEntriesForSlowFollowers"], 1200)
        self.assertEqual(found["Spec"]["Raft"]["KeepOldSnapshots"], 1)
        self.assertEqual(found["Spec"]["Orchestration"]["TaskHistoryRetentionLimit"], 3)
        self.assertEqual(found["Spec"]["Dispatcher"]["HeartbeatPeriod"], 6_000_000_000)
        self.assertEqual(found["Spec"]["CAConfig"]["NodeCertExpiry"], 7_776_000_000_000_000)
        self.assertEqual(found["Spec"]["Labels"], {"team": "one"})
        self.assertTrue(found["Version"]["Index"] > 0)

    def test_address_pools_are_kept(self):
        self.init(default_addr_pool=["10.77.0.0/16"], subnet_size=26)
        found = self.api.inspect_swarm()
        self.assertEqual(found["DefaultAddrPool"], ["10.77.0.0/16"])
        self.assertEqual(found["SubnetSize"], 26)

    def test_the_data_path_address_is_taken(self):
        self.assertTrue(self.init(data_path_addr="127.0.0.1"))

    def test_update_needs_the_version_it_changes(self):
        self.init()
        before = self.api.inspect_swarm()
        spec = self.api.create_swarm_spec(snapshot_interval=5000, node_cert_expiry=7_776_000_000_000_000)
        version = before["Version"]["Index"]
        self.assertTrue(self.api.update_swarm(version=version, swarm_spec=spec))
        after = self.api.inspect_swarm()
        self.assertTrue(after["Version"]["Index"] > version)
        self.assertEqual(after["Spec"]["Raft"]["SnapshotInterval"], 5000)
        self.assertRefused(409, "update out of sequence", self.api.update_swarm, version=1, swarm_spec=spec)

    def test_join_tokens_are_rotated_apart(self):
        self.init()
        swarm = self.api.inspect_swarm()
        self.api.update_swarm(version=swarm["Version"]["Index"], rotate_worker_token=True)
        rotated = self.api.inspect_swarm()
        self.assertNotEqual(rotated["JoinTokens"]["Worker"], swarm["JoinTokens"]["Worker"])
        self.assertEqual(rotated["JoinTokens"]["Manager"], swarm["JoinTokens"]["Manager"])
        self.api.update_swarm(version=rotated["Version"]["Index"], rotate_manager_token=True)
        again = self.api.inspect_swarm()
        self.assertEqual(again["JoinTokens"]["Worker"], rotated["JoinTokens"]["Worker"])
        self.assertNotEqual(again["JoinTokens"]["Manager"], rotated["JoinTokens"]["Manager"])

    def test_the_unlock_key_is_told_and_rotated(self):
        self.init(swarm_spec=self.api.create_swarm_spec(autolock_managers=True))
        first = self.api.get_unlock_key()["UnlockKey"]
        self.assertRegex(first, "^SWMKEY-1-")
        swarm = self.api.inspect_swarm()
        self.assertTrue(swarm["Spec"]["EncryptionConfig"]["AutoLockManagers"])
        self.api.update_swarm(
            version=swarm["Version"]["Index"],
            swarm_spec=self.api.create_swarm_spec(autolock_managers=True),
            rotate_manager_unlock_key=True,
        )
        self.assertNotEqual(self.api.get_unlock_key()["UnlockKey"], first)
        self.assertRefused(409, "swarm is not locked", self.api.unlock_swarm, first)

    def test_without_autolock_there_is_no_key(self):
        self.init()
        self.assertEqual(self.api.get_unlock_key(), {"UnlockKey": ""})

    def test_the_only_manager_cannot_be_removed_or_demoted(self):
        node_id = self.init()
        node = self.api.inspect_node(node_id)
        self.assertRefused(400, "is a cluster manager", self.api.remove_node, node_id)
        self.assertRefused(400, "is a cluster manager", self.api.remove_node, node_id, True)
        self.assertRefused(
            400,
            "attempting to demote the last manager of the swarm",
            self.api.update_node,
            node_id,
            node["Version"]["Index"],
            {"Role": "worker", "Availability": "active"},
        )

    def test_nodes_are_listed_and_changed(self):
        node_id = self.init()
        [node] = self.api.nodes()
        self.assertEqual(node["ID"], node_id)
        self.assertEqual(node["Spec"], {"Labels": {}, "Role": "manager", "Availability": "active"})
        self.assertEqual(node["ManagerStatus"]["Reachability"], "reachable")
        self.assertTrue(node["ManagerStatus"]["Leader"])
        for key in ("Hostname", "Platform", "Resources", "Engine", "TLSInfo"):
            self.assertIn(key, node["Description"])
        spec = {"Name": "named", "Role": "manager", "Availability": "active", "Labels": {"zone": "a"}}
        self.assertTrue(self.api.update_node(node_id, version=node["Version"]["Index"], node_spec=spec))
        changed = self.api.inspect_node(node_id)
        self.assertEqual(changed["Spec"], spec)
        self.assertRefused(
            409, "update out of sequence", self.api.update_node, node_id, version=1, node_spec=spec
        )
        self.assertEqual(self.api.nodes(filters={"id": "nosuch"}), [])
        self.assertEqual(len(self.api.nodes(filters={"role": "manager", "node.label": "zone=a"})), 1)

    def test_high_level_swarm_and_nodes(self):
        self.assertTrue(
            self.client.swarm.init("127.0.0.1", listen_addr=random_listen_address(), snapshot_interval=5000)
        )
        self.assertEqual(self.client.swarm.attrs["Spec"]["Raft"]["SnapshotInterval"], 5000)
        self.assertTrue(self.client.swarm.update(rotate_manager_token=True, snapshot_interval=6000))
        self.client.swarm.reload()
        self.assertEqual(self.client.swarm.attrs["Spec"]["Raft"]["SnapshotInterval"], 6000)
        self.assertTrue(self.client.swarm.version)
        [node] = self.client.nodes.list()
        self.assertEqual(self.client.nodes.get(node.id).attrs["Spec"]["Role"], "manager")
        node.update({"Role": "manager", "Availability": "drain", "Labels": {"a": "b"}})
        node.reload()
        self.assertEqual(node.attrs["Spec"]["Availability"], "drain")
        self.assertTrue(self.client.swarm.leave(force=True))
        self.assertRefused(503, "This node is not a swarm manager", self.client.swarm.reload)

    def test_a_wrong_token_is_refused_with_the_reason(self):
        self.assertRefused(
            400,
            "invalid join token",
            self.api.join_swarm,
            remote_addrs=["127.0.0.1:1"],
            join_token="SWMTKN-1-nonsense",
            listen_addr=random_listen_address(),
        )
        self.assertEqual(self.state(), "inactive")


if __name__ == "__main__":
    unittest.main()
