"""Services: what docker-py can say about one comes back as it was said, and what it asks for happens."""
import unittest

import docker
from docker.types import (
    ConfigReference,
    DNSConfig,
    EndpointSpec,
    Healthcheck,
    Mount,
    NetworkAttachmentConfig,
    Placement,
    PlacementPreference,
    Privileges,
    Resources,
    RestartPolicy,
    RollbackConfig,
    SecretReference,
    ServiceMode,
    UpdateConfig,
)

from base import IMAGE, SLEEP, SwarmCase, wait_until

SECOND = 10**9


class ServiceSpecs(SwarmCase):
    def test_the_plain_service(self):
        service = self.create("plain")
        self.assertEqual(service["Spec"]["Name"], "plain")
        self.assertEqual(self.container_of(service)["Image"], IMAGE)
        self.assertEqual(self.container_of(service)["Command"], SLEEP)
        self.assertEqual(service["Spec"]["Mode"], {"Replicated": {"Replicas": 1}})
        self.assertEqual(service["Spec"]["Labels"], {})

    def test_every_argument_of_a_container(self):
        service = self.create(
            "full",
            container={
                "args": ["-x"],
                "hostname": "box.example.org",
                "env": {"A": "1", "B": "two words"},
                "workdir": "/tmp",
                "user": "nobody",
                "labels": {"color": "blue"},
                "stop_grace_period": 2 * SECOND,
                "tty": True,
                "groups": ["nogroup", "0"],
                "open_stdin": True,
                "read_only": True,
                "stop_signal": "SIGINT",
                "hosts": {"foobar": "127.0.0.1", "baz": "8.8.8.8"},
                "isolation": "default",
                "init": True,
                "cap_add": ["CAP_SYSLOG"],
                "cap_drop": ["CAP_CHOWN"],
                "dns_config": DNSConfig(nameservers=["8.8.8.8", "8.8.4.4"], search=["local"], options=["debug"]),
                "healthcheck": Healthcheck(
                    test="true", interval=10 * SECOND, timeout=SECOND, retries=3, start_period=5 * SECOND
                ),
                "privileges": Privileges(selinux_disable=True),
                "mounts": [
                    Mount("/volume", "py-volume", labels={"a": "b"}, no_copy=True),
                    Mount("/bound", "/tmp", type="bind", read_only=True, propagation="rslave"),
                    Mount("/memory", None, type="tmpfs", tmpfs_size="64m", tmpfs_mode=0o1777),
                    "other:/other:ro",
                ],
            },
        )
        found = self.container_of(service)
        self.assertEqual(found["Args"], ["-x"])
        self.assertEqual(found["Hostname"], "box.example.org")
        self.assertEqual(sorted(found["Env"]), ["A=1", "B=two words"])
        self.assertEqual((found["Dir"], found["User"], found["Groups"]), ("/tmp", "nobody", ["nogroup", "0"]))
        self.assertEqual(found["Labels"], {"color": "blue"})
        self.assertEqual(found["StopGracePeriod"], 2 * SECOND)
        self.assertEqual((found["TTY"], found["OpenStdin"], found["ReadOnly"], found["Init"]), (True,) * 4)
        self.assertEqual(found["StopSignal"], "SIGINT")
        self.assertEqual(sorted(found["Hosts"]), ["127.0.0.1 foobar", "8.8.8.8 baz"])
        self.assertEqual(found["Isolation"], "default")
        self.assertEqual((found["CapabilityAdd"], found["CapabilityDrop"]), (["CAP_SYSLOG"], ["CAP_CHOWN"]))
        self.assertEqual(
            found["DNSConfig"], {"Nameservers": ["8.8.8.8", "8.8.4.4"], "Search": ["local"], "Options": ["debug"]}
        )
        self.assertEqual(
            found["Healthcheck"],
            {
                "Test": ["CMD-SHELL", "true"],
                "Interval": 10 * SECOND,
                "Timeout": SECOND,
                "Retries": 3,
                "StartPeriod": 5 * SECOND,
            },
        )
        self.assertTrue(found["Privileges"]["SELinuxContext"]["Disable"])
        volume, bound, memory, other = found["Mounts"]
        self.assertEqual((volume["Type"], volume["Source"], volume["Target"]), ("volume", "py-volume", "/volume"))
        self.assertEqual(volume["VolumeOptions"], {"NoCopy": True, "Labels": {"a": "b"}})
        self.assertEqual((bound["BindOptions"], bound["ReadOnly"]), ({"Propagation": "rslave"}, True))
        self.assertEqual(memory["TmpfsOptions"], {"SizeBytes": 64 << 20, "Mode": 0o1777})
        self.assertEqual((other["Source"], other["Target"], other["ReadOnly"]), ("other", "/other", True))

    def test_privileges_of_every_kind(self):
        selinux = {"Disable": False, "User": "", "Role": "", "Type": "", "Level": ""}
        file = {"Config": "", "File": "spec.json", "Registry": ""}
        for number, (privileges, expected) in enumerate(
            [
                (
                    Privileges(selinux_user="u", selinux_role="r", selinux_type="t", selinux_level="l"),
                    {"CredentialSpec": None, "SELinuxContext": {**selinux, "User": "u", "Role": "r", "Type": "t", "Level": "l"}},
                ),
                (Privileges(credentialspec_file="spec.json"), {"CredentialSpec": file, "SELinuxContext": selinux}),
                (
                    Privileges(credentialspec_registry="key"),
                    {"CredentialSpec": {**file, "File": "", "Registry": "key"}, "SELinuxContext": selinux},
                ),
            ]
        ):
            service = self.create(f"privileged-{number}", container={"privileges": privileges})
            self.assertEqual(self.container_of(service)["Privileges"], expected)

    def test_health_checks_and_their_limits(self):
        off = self.create("unwatched", container={"healthcheck": Healthcheck(test=["NONE"])})
        self.assertEqual(self.container_of(off)["Healthcheck"], {"Test": ["NONE"]})
        for healthcheck, text in (
            (Healthcheck(test="true", interval=1000), "Interval in HealthConfig cannot be less than 1ms"),
            (Healthcheck(test="true", retries=-1), "Retries in HealthConfig cannot be negative"),
        ):
            self.assertRefused(400, text, self.create, "badly-watched", container={"healthcheck": healthcheck})

    def test_every_argument_of_a_task(self):
        service = self.create(
            "task",
            task={
                "resources": Resources(
                    cpu_limit=4_000_000,
                    mem_limit=16 << 20,
                    cpu_reservation=2_000_000,
                    mem_reservation=8 << 20,
                    generic_resources={"gpu": 2, "slot": "one"},
                ),
                "restart_policy": RestartPolicy("on-failure", delay=5, max_attempts=3, window=60),
                "placement": Placement(
                    constraints=["node.role==manager"],
                    preferences=[PlacementPreference("spread", "node.labels.zone"), ("spread", "node.labels.rack")],
                    maxreplicas=1,
                    platforms=[("amd64", "linux"), ("x86_64", "linux")],
                ),
                "log_driver": docker.types.DriverConfig("json-file", options={"max-size": "1m"}),
                "force_update": 7,
            },
        )
        found = service["Spec"]["TaskTemplate"]
        self.assertEqual(found["Resources"]["Limits"], {"NanoCPUs": 4_000_000, "MemoryBytes": 16 << 20})
        self.assertEqual(
            found["Resources"]["Reservations"],
            {
                "NanoCPUs": 2_000_000,
                "MemoryBytes": 8 << 20,
                "GenericResources": [
                    {"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}},
                    {"NamedResourceSpec": {"Kind": "slot", "Value": "one"}},
                ],
            },
        )
        self.assertEqual(
            found["RestartPolicy"], {"Condition": "on-failure", "Delay": 5, "MaxAttempts": 3, "Window": 60}
        )
        self.assertEqual(
            found["Placement"],
            {
                "Constraints": ["node.role==manager"],
                "Preferences": [
                    {"Spread": {"SpreadDescriptor": "node.labels.zone"}},
                    {"Spread": {"SpreadDescriptor": "node.labels.rack"}},
                ],
                "MaxReplicas": 1,
                "Platforms": [
                    {"Architecture": "amd64", "OS": "linux"},
                    {"Architecture": "x86_64", "OS": "linux"},
                ],
            },
        )
        self.assertEqual(found["LogDriver"], {"Name": "json-file", "Options": {"max-size": "1m"}})
        self.assertEqual(found["ForceUpdate"], 7)

    def test_update_and_rollback_settings(self):
        service = self.create(
            "careful",
            update_config=UpdateConfig(
                parallelism=10,
                delay=5,
                failure_action="rollback",
                monitor=300_000_000,
                max_failure_ratio=0.4,
                order="start-first",
            ),
            rollback_config=RollbackConfig(
                parallelism=3, delay=7, failure_action="pause", monitor=SECOND, max_failure_ratio=0.1, order="stop-first"
            ),
        )
        self.assertEqual(
            service["Spec"]["UpdateConfig"],
            {
                "Parallelism": 10,
                "Delay": 5,
                "FailureAction": "rollback",
                "Monitor": 300_000_000,
                "MaxFailureRatio": 0.4,
                "Order": "start-first",
            },
        )
        self.assertEqual(service["Spec"]["RollbackConfig"]["MaxFailureRatio"], 0.1)
        self.assertEqual(service["Spec"]["RollbackConfig"]["Delay"], 7)

    def test_defaults_are_shown_only_when_asked_for(self):
        service = self.create("defaults")
        self.assertNotIn("RollbackConfig", service["Spec"])
        with_defaults = self.api.inspect_service(service["ID"], insert_defaults=True)
        self.assertEqual(with_defaults["Spec"]["RollbackConfig"]["FailureAction"], "pause")
        self.assertIn("UpdateConfig", with_defaults["Spec"])

    def test_published_ports(self):
        service = self.create(
            "ports",
            endpoint_spec=EndpointSpec(
                mode="vip", ports={18711: 80, 18712: (53, "udp"), 18713: (443, "tcp", "host")}
            ),
        )
        ports = {port["PublishedPort"]: port for port in service["Spec"]["EndpointSpec"]["Ports"]}
        self.assertEqual(service["Spec"]["EndpointSpec"]["Mode"], "vip")
        self.assertEqual(ports[18711], {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 18711, "PublishMode": "ingress"})
        self.assertEqual((ports[18712]["Protocol"], ports[18712]["TargetPort"]), ("udp", 53))
        self.assertEqual(ports[18713]["PublishMode"], "host")

        def allocated():
            return self.api.inspect_service("ports")["Endpoint"].get("Ports")

        published = {port["PublishedPort"] for port in wait_until(allocated, "the ports are given out")}
        self.assertEqual(published, {18711, 18712, 18713})

    def test_networks_are_kept_by_id(self):
        made = [self.api.create_network(name, driver="overlay", ipam={"Driver": "default"})["Id"] for name in ("py-a", "py-b")]
        try:
            service = self.create(
                "networked",
                task={
                    "networks": [
                        "py-a",
                        NetworkAttachmentConfig("py-b", aliases=["alias"], options={"k": "v"}),
                    ]
                },
            )
            self.assertEqual(
                service["Spec"]["TaskTemplate"]["Networks"],
                [{"Target": made[0]}, {"Target": made[1], "Aliases": ["alias"], "DriverOpts": {"k": "v"}}],
            )
            self.assertRefused(400, "is in use by service", self.api.remove_network, made[0])
            self.assertRefused(500, "network nosuch not found", self.create, "lost", task={"networks": ["nosuch"]})
        finally:
            self.tearDown()
            for network in made:
                wait_until(lambda network=network: self.removed(network), "the network is free")

    def removed(self, network):
        try:
            self.api.remove_network(network)
            return True
        except docker.errors.APIError as error:
            if error.response.status_code not in (400, 409):
                raise
            return False

    def test_modes(self):
        self.assertEqual(self.create("many", mode=ServiceMode("replicated", 3))["Spec"]["Mode"], {"Replicated": {"Replicas": 3}})
        self.assertEqual(self.create("none", mode=ServiceMode("replicated", 0))["Spec"]["Mode"], {"Replicated": {"Replicas": 0}})
        self.assertEqual(self.create("everywhere", mode="global")["Spec"]["Mode"], {"Global": {}})
        for name, mode in (
            ("job", {"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 3}}),
            ("job-everywhere", {"GlobalJob": {}}),
        ):
            self.assertEqual(self.create(name, mode=mode)["Spec"]["Mode"], mode)

    def test_lists_and_their_filters(self):
        one = self.create("list-one", labels={"kind": "web"})
        self.create("list-two", mode="global")
        names = lambda **filters: sorted(s["Spec"]["Name"] for s in self.api.services(filters=filters))
        self.assertEqual(names(name="list-"), ["list-one", "list-two"])
        self.assertEqual(names(name="list-one"), ["list-one"])
        self.assertEqual(names(id=one["ID"]), ["list-one"])
        self.assertEqual(names(label="kind"), ["list-one"])
        self.assertEqual(names(label="kind=web"), ["list-one"])
        self.assertEqual(names(label="kind=db"), [])
        self.assertEqual(names(mode="global"), ["list-two"])
        self.assertEqual(names(name=["list-one", "list-two"], mode="replicated"), ["list-one"])

    def test_refusals(self):
        self.create("taken")
        self.assertRefused(409, "name conflicts with an existing object: service taken already exists", self.create, "taken")
        self.assertRefused(400, "name must be valid as a DNS name component", self.create, "not a name")
        with self.assertRaises(docker.errors.NotFound):
            self.api.inspect_service("nosuch")
        with self.assertRaises(docker.errors.NotFound):
            self.api.remove_service("nosuch")
        with self.assertRaises(docker.errors.NotFound):
            self.api.tasks(filters={"service": "nosuch"})


class ServiceFiles(SwarmCase):
    def test_secrets_and_configs_are_referred_to(self):
        secret = self.api.create_secret("key", "secret data")["ID"]
        config = self.api.create_config("conf", "config data")["ID"]
        service = self.create(
            "files",
            container={
                "secrets": [SecretReference(secret, "key", filename="key.txt", uid="1", gid="2", mode=0o440)],
                "configs": [ConfigReference(config, "conf")],
            },
        )
        self.assertEqual(
            self.container_of(service)["Secrets"],
            [
                {
                    "SecretID": secret,
                    "SecretName": "key",
                    "File": {"Name": "key.txt", "UID": "1", "GID": "2", "Mode": 0o440},
                }
            ],
        )
        self.assertEqual(self.container_of(service)["Configs"][0]["File"]["Name"], "conf")
        [task] = self.running_tasks("files", 1)
        container = task["Status"]["ContainerStatus"]["ContainerID"]
        self.assertEqual(self.read(container, "/run/secrets/key.txt"), b"secret data")
        self.assertEqual(self.read(container, "/conf"), b"config data")
        self.assertRefused(400, "is in use by the following service: files", self.api.remove_secret, secret)

    def read(self, container, path):
        return self.api.exec_start(self.api.exec_create(container, ["cat", path])["Id"])


if __name__ == "__main__":
    unittest.main()
