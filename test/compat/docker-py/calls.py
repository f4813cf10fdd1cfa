"""
Calls swarm methods of docker-py with every argument, good and bad, and prints what each gave: to be played on a Docker
Engine and on a node of ours, and compared. Arguments: which parts to play.
"""
import json
import os
import re
import sys
import time

import docker
from docker import types

IMAGE = os.environ.get("SWARMD_TEST_IMAGE", "busybox:local")
S = 10**9
client = docker.from_env(timeout=60)
api = client.api

STAND_INS = (
    (r'"(CreatedAt|UpdatedAt|Created|Timestamp|StartedAt|CompletedAt)": "[^"]*"', r'"\1": T'),
    (r'"(TrustRoot|CertIssuerSubject|CertIssuerPublicKey)": "[^"]*"', r'"\1": X'),
    (r'"(Index|ForceRotate|PID)": \d+', r'"\1": N'),
    (r'"ContainerID": "[0-9a-f]{64}"', '"ContainerID": C'),
    (r"SWMTKN-1-[0-9a-z]+-[0-9a-z]+", "TOKEN"),
    (r"SWMKEY-1-[\w+/=]+", "KEY"),
    (r"\b(?=[a-z0-9]*\d)[0-9a-z]{25}\b", "ID"),
    (r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----(\\n|\n)?", "PEM"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "TIME"),
    (r"<(\w+): '?[0-9a-z]{10,12}'?>", r"<\1>"),
    (r'"(10|172)\.(?!77\.)\d+\.\d+\.\d+(/\d+)?"', '"ADDRESS"'),
)


def shown(value):
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=repr)
    for pattern, stand_in in STAND_INS:
        text = re.sub(pattern, stand_in, text)
    return text


def call(label, function, *args, **kwargs):
    """Prints what a call gave; gives back its result, None when it was refused."""
    try:
        result = function(*args, **kwargs)
    except docker.errors.APIError as error:
        print(f"{label}: {error.response.status_code} {shown(error.explanation)}")
        return None
    except Exception as error:  # noqa: BLE001 the client's own refusals are results too
        print(f"{label}: {type(error).__name__} {shown(str(error))}")
        return None
    print(f"{label}: {shown(result)}")
    return result


def part_of(found, asked):
    """Of what was found, what was asked for: Docker sets to zero whatever an update leaves out, we leave it as it is."""
    if not isinstance(asked, dict) or not isinstance(found, dict):
        return found
    return {key: part_of(found.get(key), value) for key, value in asked.items() if value is not None}


def wait_until(condition, seconds=40):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            print("TIMED OUT")
            return
        time.sleep(0.1)


PORT = iter(range(11001, 12000))


def init(**kwargs):
    return client.swarm.init(**{"advertise_addr": "127.0.0.1", "listen_addr": f"127.0.0.1:{next(PORT)}", **kwargs})


def outside():
    """What is served by an engine that is in no swarm."""
    spec = types.TaskTemplate(types.ContainerSpec(IMAGE))
    for label, function, *args in (
        ("inspect_swarm", api.inspect_swarm),
        ("get_unlock_key", api.get_unlock_key),
        ("unlock_swarm", api.unlock_swarm, "SWMKEY-1-x"),
        ("unlock_swarm dict", api.unlock_swarm, {"UnlockKey": "SWMKEY-1-x"}),
        ("unlock_swarm bad dict", api.unlock_swarm, {"Key": "x"}),
        ("leave_swarm", api.leave_swarm),
        ("leave_swarm force", api.leave_swarm, True),
        ("update_swarm", api.update_swarm, 1, {}),
        ("nodes", api.nodes),
        ("inspect_node", api.inspect_node, "x"),
        ("remove_node", api.remove_node, "x"),
        ("update_node", api.update_node, "x", 1, {}),
        ("services", api.services),
        ("inspect_service", api.inspect_service, "x"),
        ("remove_service", api.remove_service, "x"),
        ("create_service", api.create_service, spec),
        ("update_service", api.update_service, "x", 1, spec),
        ("service_logs", lambda: list(api.service_logs("x", stdout=True, is_tty=False))),
        ("tasks", api.tasks),
        ("inspect_task", api.inspect_task, "x"),
        ("secrets", api.secrets),
        ("create_secret", api.create_secret, "x", "x"),
        ("inspect_secret", api.inspect_secret, "x"),
        ("remove_secret", api.remove_secret, "x"),
        ("configs", api.configs),
        ("create_config", api.create_config, "x", "x"),
        ("inspect_config", api.inspect_config, "x"),
        ("remove_config", api.remove_config, "x"),
        ("create_network overlay", lambda: api.create_network("x", driver="overlay")),
        ("client.swarm.attrs", lambda: client.swarm.attrs),
        ("client.services.list", client.services.list),
        ("client.nodes.list", client.nodes.list),
        ("join bad address", lambda: api.join_swarm(["bogus"], "SWMTKN-1-x", listen_addr="127.0.0.1:11000")),
        ("join bad token", lambda: api.join_swarm(["127.0.0.1:1"], "x", listen_addr="127.0.0.1:11000")),
        ("join no address", lambda: api.join_swarm([], "x", listen_addr="127.0.0.1:11000")),
        ("join bad listen", lambda: api.join_swarm(["127.0.0.1:1"], "x", listen_addr="bogus")),
        ("join bad advertise", lambda: api.join_swarm(["127.0.0.1:1"], "x", "127.0.0.1:11000", "bogus")),
        ("join bad data path", lambda: api.join_swarm(["127.0.0.1:1"], "x", "127.0.0.1:11000", "127.0.0.1", "bogus")),
        ("state", lambda: api.info()["Swarm"]["LocalNodeState"]),
        ("service.x", client.services.get, "x"),
        ("no id", client.services.get, ""),
    ):
        call(label, function, *args)


def lives():
    """Init with each argument, and what became of it."""

    def life(label, **kwargs):
        made = call(f"init {label}", init, **kwargs)
        if made:
            found = api.inspect_swarm()
            print("  ", shown({k: v for k, v in found.items() if k not in ("ID", "JoinTokens", "Version")}))
            node = api.inspect_node(made)
            print("  ", shown({"Spec": node["Spec"], "Status": node["Status"], "Addr": node["ManagerStatus"]["Addr"]}))
        call("  leave", client.swarm.leave, force=True)

    life("plain")
    life("advertised port", advertise_addr="127.0.0.1:11990")
    life("interface", advertise_addr="lo")
    life("bad advertise", advertise_addr="bogus")
    life("any advertise", advertise_addr="0.0.0.0")
    life("empty listen", listen_addr="")
    life("bad listen", listen_addr="bogus")
    life("bad listen port", listen_addr="127.0.0.1:bogus")
    life("huge listen port", listen_addr="127.0.0.1:70000")
    life("foreign listen", listen_addr="192.0.2.1:11000")
    life("force_new_cluster", force_new_cluster=True)
    life("pool", default_addr_pool=["10.77.0.0/16"], subnet_size=26)
    life("pools", default_addr_pool=["10.77.0.0/17", "10.77.128.0/17"])
    life("pool without size", default_addr_pool=["10.77.0.0/16"])
    life("size alone", subnet_size=28)
    life("bad pool", default_addr_pool=["bogus"])
    life("pool of six", default_addr_pool=["2001:db8::/64"])
    life("overlapping pools", default_addr_pool=["10.77.0.0/16", "10.77.1.0/24"])
    life("size below pool", default_addr_pool=["10.77.0.0/24"], subnet_size=16)
    life("size 31", default_addr_pool=["10.77.0.0/24"], subnet_size=31)
    life("data path", data_path_addr="127.0.0.1")
    life("data path interface", data_path_addr="lo")
    life("bad data path", data_path_addr="bogus")
    life("data path port", data_path_port=4800)
    life("low data path port", data_path_port=80)
    life("high data path port", data_path_port=50000)
    life("history", task_history_retention_limit=0)
    life("negative history", task_history_retention_limit=-3)
    life("raft", snapshot_interval=500, keep_old_snapshots=2, log_entries_for_slow_followers=10, heartbeat_tick=1, election_tick=9)
    life("raft in part", snapshot_interval=500)
    life("bad raft", heartbeat_tick=5, election_tick=3)
    life("heartbeat", dispatcher_heartbeat_period=S)
    life("short heartbeat", dispatcher_heartbeat_period=1)
    life("negative heartbeat", dispatcher_heartbeat_period=-1)
    life("expiry", node_cert_expiry=3600 * S)
    life("external ca", external_ca=types.SwarmExternalCA("https://127.0.0.1:1", protocol="cfssl"))
    life("external ca protocol", external_ca=types.SwarmExternalCA("https://127.0.0.1:1", protocol="bogus"))
    life("name", name="default")
    life("other name", name="other")
    life("labels", labels={"a": "b", "c": ""})
    life("force rotate", ca_force_rotate=3)
    life("no autolock", autolock_managers=False)
    life("log driver", log_driver=types.DriverConfig("json-file", {"max-size": "1m"}))
    life("signing certificate", signing_ca_cert="bogus")
    life("signing key", signing_ca_key="bogus")


def swarm():
    """Methods of the swarm and its nodes."""
    node_id = call("init", init)
    call("again", init)
    call("join", api.join_swarm, ["127.0.0.1:1"], "SWMTKN-1-x")
    call("leave", client.swarm.leave)
    call("unlock", client.swarm.unlock, "SWMKEY-1-x")
    call("unlock key", client.swarm.get_unlock_key)
    swarm = client.swarm
    swarm.reload()

    def update(label, **kwargs):
        swarm.reload()
        before = dict(swarm.attrs["JoinTokens"])
        call(f"update {label}", swarm.update, **kwargs)
        swarm.reload()
        asked = {k: v for k, v in kwargs.items() if not k.startswith("rotate_")}
        print("  ", shown(part_of(swarm.attrs["Spec"], api.create_swarm_spec(**asked))))
        print("  ", {k: before[k] == v for k, v in swarm.attrs["JoinTokens"].items()})

    update("nothing")
    update("history", task_history_retention_limit=4)
    update("raft", snapshot_interval=777, keep_old_snapshots=3)
    update("dispatcher", dispatcher_heartbeat_period=7 * S)
    update("expiry", node_cert_expiry=3601 * S)
    update("short expiry", node_cert_expiry=S)
    update("labels", labels={"x": "y"})
    update("name", name="other")
    update("no name", name="")
    update("autolock", autolock_managers=True)
    call("key", swarm.get_unlock_key)
    update("rotate key", autolock_managers=True, rotate_manager_unlock_key=True)
    update("no autolock", autolock_managers=False)
    update("rotate key without lock", rotate_manager_unlock_key=True)
    update("worker token", rotate_worker_token=True)
    update("manager token", rotate_manager_token=True)
    update("both tokens", rotate_worker_token=True, rotate_manager_token=True)
    update("log driver", log_driver=types.DriverConfig("none"))
    update("external", external_cas=[types.SwarmExternalCA("https://127.0.0.1:1", protocol="cfssl", options={"a": "b"})])
    update("bad signing certificate", signing_ca_cert="bogus")
    update("bad signing key", signing_ca_key="bogus")
    call("version 0", api.update_swarm, 0, {})
    call("version text", api.update_swarm, "x", {})
    call("negative version", api.update_swarm, -1, {})
    swarm.reload()
    call("no spec", api.update_swarm, swarm.version)
    call("ca", lambda: sorted(swarm.attrs["TLSInfo"]))
    call("id", lambda: len(swarm.id))
    nodes = call("nodes", lambda: [len(n.id) for n in client.nodes.list()])
    node = client.nodes.get(node_id)
    call("short id", lambda: client.nodes.get(node_id[:10]).id == node_id)
    call("by hostname", lambda: client.nodes.get(node.attrs["Description"]["Hostname"]).id == node_id)
    call("attrs", lambda: [sorted(node.attrs), sorted(node.attrs["Description"]), node.attrs["Status"], node.attrs["Spec"]])
    call("unknown", client.nodes.get, "nosuch")

    def change(label, spec):
        node.reload()
        call(f"node {label}", node.update, spec)
        node.reload()
        print("  ", shown(node.attrs["Spec"]))

    good = {"Role": "manager", "Availability": "active"}
    change("labels", {**good, "Labels": {"x.a": "b", "x.c": ""}})
    change("name", {**good, "Name": "x-named"})
    change("bad name", {**good, "Name": "x named"})
    change("none", None)
    change("empty", {})
    change("role", {**good, "Role": "bogus"})
    change("worker", {**good, "Role": "worker"})
    change("availability", {**good, "Availability": "bogus"})
    change("pause", {**good, "Availability": "pause"})
    change("case", {"role": "manager", "availability": "active"})
    change("label type", {**good, "Labels": {"a": 1}})
    change("back", good)
    call("version", api.update_node, node_id, 1, good)
    for filters in ({"id": node_id}, {"name": "nosuch"}, {"role": "manager"}, {"role": "bogus"}, {"membership": "pending"},
                    {"membership": "bogus"}, {"label": "a"}, {"node.label": ["x.a=b", "x.c"]}, {"bogus": True}):
        call(f"filter {shown(filters)}", lambda: len(client.nodes.list(filters=filters)))
    call("remove", node.remove)
    call("remove by force", node.remove, force=True)
    call("leave by force", swarm.leave, force=True)
    call("reload", swarm.reload)


def models():
    """client.services, secrets, configs and networks, with each argument they take."""
    init()
    secret = client.secrets.create(name="sec", data="value", labels={"a": "b"})
    config = client.configs.create(name="con", data=b"\x00value", labels={"a": "b"})
    call("secret", lambda: [repr(secret), secret.name, len(secret.id)])
    call("config", lambda: [repr(config), config.name, len(config.id)])
    call("secret attrs", lambda: client.secrets.get("sec").attrs)
    call("config attrs", lambda: client.configs.get(config.id).attrs)
    call("secret driver", client.secrets.create, name="drv", data="", labels={}, driver={"Name": ""})
    call("secret again", client.secrets.create, name="sec", data="x")
    call("secret list", lambda: [s.name for s in client.secrets.list(filters={"name": "sec"})])
    call("config names", lambda: [s.name for s in client.configs.list(filters={"label": "a=b"})])
    net = client.networks.create("net", driver="overlay", attachable=True, labels={"l": ""}, ipam=types.IPAMConfig(pool_configs=[types.IPAMPool(subnet="10.77.30.0/24")]))
    call("network", lambda: [net.name, sorted(net.attrs), net.containers])
    call("networks", lambda: sorted(n.name for n in client.networks.list(names=["net", "nosuch"])))
    call("greedy", lambda: sorted(n.name for n in client.networks.list(names=["net"], greedy=True)))
    call("six", client.networks.create, "six", driver="overlay", enable_ipv6=True)
    call("options", client.networks.create, "opt", driver="overlay", options={"a": 5})
    call("check", client.networks.create, "net", driver="overlay", check_duplicate=True)
    call("no check", client.networks.create, "net", driver="overlay", check_duplicate=False)
    call("scope", lambda: client.networks.create("sco", driver="overlay", scope="swarm").attrs["Scope"])
    call("bad scope", lambda: client.networks.create("sco2", driver="overlay", scope="bogus").attrs["Scope"])
    call("local scope", lambda: client.networks.create("sco3", driver="overlay", scope="local").attrs["Scope"])
    call("swarm bridge", lambda: client.networks.create("sco4", driver="bridge", scope="swarm").attrs["Scope"])

    def service(label, **kwargs):
        made = call(f"create {label}", lambda: client.services.create(IMAGE, "sleep 100000", name="s", **{"stop_grace_period": S // 10, **kwargs}))
        if made is None:
            return
        time.sleep(0.2)
        made.reload()
        print("  ", shown(made.attrs["Spec"]))
        # Which addresses are free is chance.
        print("  ", re.sub(r"10\.77\.30\.\d+", "10.77.30.N", shown(made.attrs.get("Endpoint"))))
        made.remove()

    service("plain")
    service("args", args=["a"])
    service("caps", cap_add=["CAP_SYSLOG"], cap_drop=["ALL"])
    service("constraints", constraints=["node.role==manager"])
    service("bad constraints", constraints=["bogus"])
    service("preferences", preferences=[("spread", "node.labels.a"), types.PlacementPreference("spread", "engine.labels.b")])
    service("platforms", platforms=[("x86_64", "linux"), ("arm64", "linux")])
    service("maxreplicas", maxreplicas=3)
    service("container_labels", container_labels={"a": "b"}, labels={"c": "d"})
    service("endpoint_spec", endpoint_spec=types.EndpointSpec(ports={11880: (80, None, "host"), 11881: 81}))
    service("env", env={"A": None, "B": 5, "C": ""})
    service("groups", groups=["1", "wheel"])
    service("healthcheck", healthcheck=types.Healthcheck(test="true", interval=S, timeout=S, retries=1, start_period=S))
    service("hosts", hosts={"a": "1.2.3.4", "b": "::1"})
    service("hostname", hostname="h")
    service("init", init=True)
    service("isolation", isolation="default")
    service("labels", labels={})
    service("log_driver", log_driver="none")
    service("log_driver_options", log_driver="json-file", log_driver_options={"max-size": "1m"})
    service("mode", mode=types.ServiceMode("global"))
    service("mode", mode=types.ServiceMode("replicated", replicas=0))
    service("mounts", mounts=["vol:/v:ro", "/tmp:/t", types.Mount("/x", None, type="tmpfs", tmpfs_size=65536, tmpfs_mode=0o755), types.Mount("/y", "z", consistency="cached")])
    service("networks", networks=["net"])
    service("network config", networks=[types.NetworkAttachmentConfig(net.id, aliases=["a", "b"], options={"o": "p"})])
    service("two networks", networks=["net", "net"])
    service("unknown network", networks=["nosuch"])
    service("resources", resources=types.Resources(cpu_limit=S, mem_limit=2**24, cpu_reservation=S // 10, mem_reservation=2**23, generic_resources={"gpu": 1, "ssd": "a"}))
    service("resources list", resources=types.Resources(generic_resources=[{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}]))
    service("restart_policy", restart_policy=types.RestartPolicy("on-failure", 1, 2, 3))
    service("secrets", secrets=[types.SecretReference(secret.id, "sec", uid="1", gid="2", mode=0o444)])
    service("configs", configs=[types.ConfigReference(config.id, "con", filename="/c")])
    service("unknown secret", secrets=[types.SecretReference("x", "y")])
    service("stop_grace_period", stop_grace_period=0)
    service("stop_signal", stop_signal="SIGUSR1")
    service("update_config", update_config=types.UpdateConfig(0, 1, "pause", 2, 0.1, "start-first"))
    service("rollback_config", rollback_config=types.RollbackConfig(3, 1, "continue", 2, 1, "stop-first"))
    service("bad ratio", update_config=types.UpdateConfig(max_failure_ratio=0.99999))
    service("user", user="1", workdir="/tmp", tty=True, open_stdin=True, read_only=True)
    service("privileges", privileges=types.Privileges(selinux_disable=True))
    service("dns_config", dns_config=types.DNSConfig(["1.1.1.1"], ["s"], ["o"]))
    service("sysctls", sysctls={"net.core.somaxconn": "1024", "a": "b"})
    service("unexpected", bogus=1)

    # An engine reads the two streams side by side: which of two lines written together is the last is chance.
    web = client.services.create(IMAGE, ["sh", "-c", "echo err >&2; sleep 1; echo out; exec sleep 100000"], name="web", labels={"l": "1"}, env=["A=1"], stop_grace_period=S // 10, networks=["net"], mode=types.ServiceMode("replicated", 1), update_config=types.UpdateConfig(monitor=S // 10))

    def running(count):
        def is_so():
            states = [t["Status"]["State"] for t in web.tasks({"desired-state": "running"})]
            return states == ["running"] * count

        wait_until(is_so)

    def update(label, function, *args, **kwargs):
        web.reload()
        call(f"update {label}", function, *args, **kwargs)
        # A Docker Swarm takes no further update while it writes how this one goes.
        time.sleep(0.3)
        wait_until(lambda: (web.reload() or web.attrs.get("UpdateStatus", {}).get("State")) != "updating")
        web.reload()
        print("  ", shown(web.attrs["Spec"]))

    running(1)
    call("name", lambda: [web.name, web.version > 0, web.short_id == web.id[:10]])
    call("tasks", lambda: [[t["Slot"], t["DesiredState"], t["Status"]["State"], sorted(t), sorted(t["Status"])] for t in web.tasks()])
    call("task", lambda: {k: v for k, v in api.inspect_task(web.tasks()[0]["ID"]).items() if k not in ("NetworksAttachments",)})
    call("no tasks", lambda: web.tasks({"name": "nosuch"}))
    call("tasks of state", lambda: len(web.tasks({"desired-state": "shutdown"})))
    wait_until(lambda: list(web.logs(stdout=True)) == [b"out\n"])
    for kwargs in ({"stdout": True}, {"stderr": True}, {"stdout": True, "stderr": True}, {"stdout": True, "tail": 0}, {"stdout": True, "tail": 1},
                   {"stdout": True, "timestamps": True}, {"stdout": True, "details": True}, {"stdout": True, "since": 1}, {"stdout": True, "since": 9999999999},
                   {"stdout": True, "tail": "bogus"}, {}):
        call(f"logs {kwargs}", lambda: sorted(re.sub(r"\d{4}-\S+Z", "TIME", line.decode()) for line in web.logs(**kwargs)))
    call("logs bogus since", lambda: list(web.logs(stdout=True, since="bogus")))
    follower = web.logs(stdout=True, follow=True)
    call("follow", lambda: next(follower))
    follower.close()
    update("scale", web.scale, 2)
    running(2)
    update("scale to 0", web.scale, 0)
    running(0)
    update("scale to none", web.scale, None)
    running(1)
    update("force", web.force_update)
    running(1)
    update("image alone", web.update, image=IMAGE)
    update("command", web.update, command=["sleep", "99999"])
    update("labels", web.update, labels={"l": "2"})
    update("container labels", web.update, container_labels={"c": "d"})
    update("env", web.update, env=["B=2"])
    update("networks", web.update, networks=[])
    update("mode", web.update, mode=types.ServiceMode("global"))
    update("name", web.update, name="other")
    update("ports", web.update, endpoint_spec=types.EndpointSpec(ports={11890: 80}))
    update("no ports", web.update, endpoint_spec=types.EndpointSpec(ports={}))
    update("healthcheck", web.update, healthcheck=types.Healthcheck(test=["CMD", "true"], interval=S))
    update("afresh", web.update, name="web", fetch_current_spec=False, command=["sleep", "5000"], update_config=types.UpdateConfig(monitor=S // 10), stop_grace_period=S // 10)
    update("resources", web.update, resources=types.Resources(mem_limit=2**25))
    update("restart", web.update, restart_policy=types.RestartPolicy("none"))
    update("bad", web.update, constraints=["bogus"])
    update("force value", web.update, force_update=10)
    call("status", lambda: [s.attrs["ServiceStatus"] for s in client.services.list(status=True)])
    for filters in ({"id": web.id}, {"id": web.id[:5]}, {"name": "we"}, {"label": "l"}, {"label": "l=2"}, {"mode": "global"}, {"mode": "bogus"}, {"runtime": "container"}, {"bogus": 1}):
        call(f"list {filters if 'id' not in filters else 'id'}", lambda: [s.name for s in client.services.list(filters=filters)])
    call("get defaults", lambda: sorted(client.services.get("web", insert_defaults=True).attrs["Spec"]["TaskTemplate"]))
    call("get none", lambda: sorted(client.services.get("web", insert_defaults=False).attrs["Spec"]["TaskTemplate"]))
    gone = client.services.get("web")
    call("remove", web.remove)
    call("remove again", web.remove)
    call("reload", gone.reload)
    call("scale gone", gone.scale, 1)
    glob = client.services.create(IMAGE, "sleep 100000", name="g", mode="global", stop_grace_period=1)
    call("scale global", glob.scale, 2)
    glob.remove()
    job = client.services.create(IMAGE, "true", name="j", mode={"ReplicatedJob": {"TotalCompletions": 2}})
    wait_until(lambda: [t["Status"]["State"] for t in job.tasks()] == ["complete"] * 2)
    call("job", lambda: sorted([t["DesiredState"], t["Status"]["State"], t.get("JobIteration")] for t in job.tasks()))
    call("job status", lambda: client.services.get("j").attrs["JobStatus"])
    call("scale job", job.scale, 3)
    job.remove()
    call("config in use", lambda: (client.services.create(IMAGE, "sleep 1", name="u", mode=types.ServiceMode("replicated", 0), configs=[types.ConfigReference(config.id, "con")], secrets=[types.SecretReference(secret.id, "sec")]), config.remove()))
    call("secret in use", secret.remove)
    client.services.get("u").remove()
    call("remove secret", secret.remove)
    call("remove config", config.remove)
    call("secret gone", client.secrets.get, "sec")
    call("config gone", client.configs.get, "con")
    client.swarm.leave(force=True)


PARTS = {"outside": outside, "lives": lives, "swarm": swarm, "models": models}
for part in sys.argv[1:]:
    print(f"== {part}")
    PARTS[part]()
