"""Services at work: updates, tasks, logs, and the objects of docker-py's high-level client."""
import unittest

import docker
from docker.types import EndpointSpec, Healthcheck, Resources, RestartPolicy, ServiceMode, UpdateConfig

from base import GRACE, IMAGE, SLEEP, SwarmCase, wait_until

SECOND = 10**9


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
            409,
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
