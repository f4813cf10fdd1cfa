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

from base import GRACE, IMAGE, SLEEP, SwarmCase, wait_until

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


class ServiceLife(SwarmCase):
    def update(self, name, task=None, **service):
        current = self.api.inspect_service(name)
        return self.api.update_service(
            name, current["Version"]["Index"], task, name=name, fetch_current_spec=True, **service
        )

    def template(self, *command, **container):
        return docker.types.TaskTemplate(docker.types.ContainerSpec(IMAGE, list(command) or SLEEP, stop_grace_period=GRACE, **container))

    def test_an_update_with_the_current_spec_keeps_what_it_does_not_say(self):
        before = self.create(
            "kept",
            container={"labels": {"c": "1"}, "env": ["A=1"]},
            task={"restart_policy": RestartPolicy("none"), "force_update": 1},
            labels={"s": "1"},
            mode=ServiceMode("replicated", 2),
            update_config=UpdateConfig(parallelism=4),
            endpoint_spec=EndpointSpec(mode="dnsrr"),
        )["Spec"]
        self.update("kept", {"ForceUpdate": 5})
        after = self.api.inspect_service("kept")["Spec"]
        self.assertEqual(after["TaskTemplate"]["ForceUpdate"], 5)
        # It sends the defaults it was shown; everything else is as it was.
        for key in ("Name", "Labels", "Mode", "EndpointSpec"):
            self.assertEqual(after[key], before[key])
        self.assertEqual(after["UpdateConfig"]["Parallelism"], 4)
        self.assertEqual(after["TaskTemplate"]["RestartPolicy"]["Condition"], "none")
        for key, value in before["TaskTemplate"]["ContainerSpec"].items():
            self.assertEqual(after["TaskTemplate"]["ContainerSpec"][key], value or after["TaskTemplate"]["ContainerSpec"][key])

    def test_force_update_makes_new_tasks(self):
        self.create("forced")
        [before] = self.running_tasks("forced", 1)
        self.update("forced", {"ForceUpdate": 10})

        def replaced():
            running = self.api.tasks(filters={"service": "forced", "desired-state": "running"})
            return [t for t in running if t["ID"] != before["ID"] and t["Status"]["State"] == "running"]

        wait_until(replaced, "a new task runs")
        self.assertTrue(self.api.inspect_service("forced")["PreviousSpec"])

    def test_an_old_version_is_refused(self):
        service = self.create("versioned")
        self.assertRefused(
            500,
            "update out of sequence",
            self.api.update_service,
            "versioned",
            service["Version"]["Index"] - 1,
            self.template(),
            name="versioned",
        )

    def test_healthcheck_is_taken_away(self):
        self.create("healthy", container={"healthcheck": Healthcheck(test="true", interval=SECOND, timeout=SECOND)})
        current = self.api.inspect_service("healthy")
        self.api.update_service(
            "healthy", current["Version"]["Index"], self.template(healthcheck={}), name="healthy"
        )
        self.assertFalse(self.container_of(self.api.inspect_service("healthy")).get("Healthcheck"))

    def test_tasks_are_listed_and_inspected(self):
        self.create("tasks", mode=ServiceMode("replicated", 2))
        tasks = self.running_tasks("tasks", 2)
        self.assertEqual(sorted(task["Slot"] for task in tasks), [1, 2])
        for task in tasks:
            found = self.api.inspect_task(task["ID"])
            self.assertEqual(found["Spec"]["ContainerSpec"]["Image"], IMAGE)
            self.assertTrue(found["Status"]["ContainerStatus"]["ContainerID"])
            self.assertEqual(found["NodeID"], self.api.info()["Swarm"]["NodeID"])
        self.assertEqual(len(self.api.tasks(filters={"id": tasks[0]["ID"]})), 1)
        self.assertEqual(len(self.api.tasks(filters={"node": tasks[0]["NodeID"], "service": "tasks"})), 2)

    def test_logs(self):
        template = self.template("sh", "-c", "echo hello; echo oops >&2; sleep 100000")
        self.api.create_service(template, name="talker")
        [task] = self.running_tasks("talker", 1)
        logs = lambda **options: b"".join(self.api.service_logs("talker", **options))
        wait_until(lambda: logs(stdout=True) == b"hello\n", "the line is there")
        self.assertEqual(logs(stderr=True), b"oops\n")
        self.assertRegex(logs(stdout=True, timestamps=True), rb"^\d{4}-\d\d-\d\dT[\d:.]+Z hello\n$")
        self.assertIn(task["ID"].encode(), logs(stdout=True, details=True))
        self.assertEqual(logs(stdout=True, tail=0), b"")
        followed = self.api.service_logs("talker", stdout=True, follow=True, is_tty=False)
        self.assertEqual(next(followed), b"hello\n")
        followed.close()

    def test_logs_of_a_terminal(self):
        template = docker.types.TaskTemplate(
            docker.types.ContainerSpec(IMAGE, ["sh", "-c", "echo hello; sleep 100000"], tty=True, stop_grace_period=GRACE)
        )
        self.api.create_service(template, name="terminal")
        self.running_tasks("terminal", 1)
        logs = lambda: b"".join(self.api.service_logs("terminal", stdout=True, is_tty=True))
        wait_until(lambda: logs() == b"hello\r\n", "the line is there")

    def test_high_level_services(self):
        service = self.client.services.create(
            IMAGE,
            SLEEP,
            name="objects",
            labels={"foo": "bar"},
            container_labels={"fizz": "buzz"},
            env=["A=1"],
            mode=ServiceMode("replicated", 1),
            restart_policy=RestartPolicy("any"),
            resources=Resources(mem_limit=32 << 20),
            constraints=["node.role == manager"],
            preferences=[("spread", "node.labels.zone")],
            maxreplicas=3,
            stop_grace_period=GRACE,
            init=True,
        )
        self.assertEqual((service.name, service.attrs["Spec"]["Labels"]), ("objects", {"foo": "bar"}))
        self.assertEqual([s.id for s in self.client.services.list(filters={"name": "objects"})], [service.id])
        self.assertEqual(self.client.services.get("objects").id, service.id)
        self.assertEqual(self.client.services.get(service.id, insert_defaults=False).id, service.id)
        self.running_tasks("objects", 1)
        self.assertEqual(len(service.tasks(filters={"desired-state": "running"})), 1)

        self.assertTrue(service.update(name="objects", labels={"foo": "baz"}))
        service.reload()
        self.assertEqual(service.attrs["Spec"]["Labels"], {"foo": "baz"})
        self.assertEqual(self.container_of(service.attrs)["Labels"], {"fizz": "buzz"})
        service.reload()
        self.assertTrue(service.scale(2))
        self.running_tasks("objects", 2)
        service.reload()
        self.assertTrue(service.force_update())
        service.reload()
        self.assertEqual(service.attrs["Spec"]["TaskTemplate"]["ForceUpdate"], 1)
        self.assertTrue(service.remove())
        with self.assertRaises(docker.errors.NotFound):
            self.client.services.get("objects")


if __name__ == "__main__":
    unittest.main()
