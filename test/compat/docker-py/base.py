"""What the tests share: a client of the daemon under test, a swarm for as long as a class needs it, and waiting."""
import os
import random
import time
import unittest

import docker

IMAGE = os.environ.get("SWARMD_TEST_IMAGE", "busybox:local")
SLEEP = ["sleep", "100000"]
# Nanoseconds: the first process of a container ignores SIGTERM unless it says otherwise.
GRACE = 10**8


def random_listen_address():
    return f"127.0.0.1:{random.randrange(10000, 25000)}"


def wait_until(condition, what, seconds=30):
    """Waits for `condition` to give something true, and gives it back."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out: {what}")
        time.sleep(0.1)


class ClientCase(unittest.TestCase):
    """Gives each test `self.api` (calls as the HTTP API has them) and `self.client` (objects)."""

    @classmethod
    def setUpClass(cls):
        cls.client = docker.from_env(timeout=60)
        cls.api = cls.client.api

    @classmethod
    def tearDownClass(cls):
        cls.client.close()

    def assertRefused(self, status, text, call, *args, **kwargs):
        with self.assertRaises(docker.errors.APIError) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.response.status_code, status, caught.exception)
        self.assertIn(text, caught.exception.explanation)


class SwarmCase(ClientCase):
    """All tests of a class run in one fresh swarm; each removes what it made."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api.init_swarm("127.0.0.1", listen_addr=random_listen_address())

    @classmethod
    def tearDownClass(cls):
        cls.api.leave_swarm(force=True)
        super().tearDownClass()

    def tearDown(self):
        for service in self.api.services():
            self.api.remove_service(service["ID"])
        for secret in self.api.secrets():
            self.api.remove_secret(secret["ID"])
        for config in self.api.configs():
            self.api.remove_config(config["ID"])

    def create(self, name, container=None, task=None, **service):
        """Creates a service and gives back how it is inspected."""
        template = docker.types.TaskTemplate(
            docker.types.ContainerSpec(IMAGE, SLEEP, **{"stop_grace_period": GRACE, **(container or {})}), **(task or {})
        )
        created = self.api.create_service(template, name=name, **service)
        return self.api.inspect_service(created["ID"])

    def container_of(self, service):
        return service["Spec"]["TaskTemplate"]["ContainerSpec"]

    def running_tasks(self, name, count):
        def tasks():
            found = self.api.tasks(filters={"service": name, "desired-state": "running"})
            running = [task for task in found if task["Status"]["State"] == "running"]
            return running if len(running) == count else None

        return wait_until(tasks, f"{name} has {count} running tasks")
