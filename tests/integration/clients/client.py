"""What a Python program does with a cluster: every step raises when the answer is not what the client expects."""
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

config.load_kube_config()
core = client.CoreV1Api()
apps = client.AppsV1Api()
namespace = "python"


def refused(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ApiException as error:
        assert error.status == code, error
        return error
    raise AssertionError(f"{call.__name__} was not refused")


core.create_namespace({"metadata": {"name": namespace}})
assert int(client.VersionApi().get_code().minor) >= 36

# Typed objects, their defaults, and what they are refused for.
labels = {"app": "web"}
made = apps.create_namespaced_deployment(
    namespace,
    client.V1Deployment(
        metadata=client.V1ObjectMeta(name="web"),
        spec=client.V1DeploymentSpec(
            replicas=2,
            selector=client.V1LabelSelector(match_labels=labels),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=labels),
                spec=client.V1PodSpec(containers=[client.V1Container(name="c", image="i")]),
            ),
        ),
    ),
)
assert made.spec.strategy.rolling_update.max_surge == "25%"
assert made.metadata.creation_timestamp.tzinfo is not None
scaled = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
assert scaled.spec.replicas == 3
refused(409, core.create_namespace, {"metadata": {"name": namespace}})
refused(404, core.read_namespaced_config_map, "none", namespace)
refused(422, core.create_namespaced_pod, namespace, {"metadata": {"name": "A"}, "spec": {"containers": []}})

# A watch from a list, until what was asked for has come, and again from where it ended.
stream = watch.Watch()
pods = 0
for event in stream.stream(core.list_namespaced_pod, namespace, label_selector="app=web", timeout_seconds=60):
    assert event["object"].kind == "Pod"
    pods += event["type"] == "ADDED"
    if pods == 3:
        stream.stop()
version = core.list_namespaced_config_map(namespace).metadata.resource_version
core.create_namespaced_config_map(namespace, {"metadata": {"name": "later"}, "data": {"a": "1"}})
for event in watch.Watch().stream(
    core.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=60
):
    if event["object"].metadata.name == "later":
        break
else:
    raise AssertionError("the watch ended without the event")

# Patches: strategic by default for typed calls, merge for dicts of dynamic ones.
core.patch_namespaced_config_map("later", namespace, {"data": {"b": "2", "a": None}})
assert core.read_namespaced_config_map("later", namespace).data == {"b": "2"}

# Pages.
for number in range(5):
    core.create_namespaced_config_map(namespace, {"metadata": {"generate_name": "page-", "generateName": "page-", "labels": {"p": "1"}}})
page = core.list_namespaced_config_map(namespace, label_selector="p=1", limit=2)
names = [item.metadata.name for item in page.items]
while page.metadata._continue:
    page = core.list_namespaced_config_map(namespace, label_selector="p=1", limit=2, _continue=page.metadata._continue)
    names += [item.metadata.name for item in page.items]
assert len(set(names)) == 5, names
core.delete_collection_namespaced_config_map(namespace, label_selector="p=1")

# Objects of any kind, found by discovery.
anything = dynamic.DynamicClient(client.ApiClient())
maps = anything.resources.get(api_version="v1", kind="ConfigMap")
maps.create(namespace=namespace, body={"metadata": {"name": "dynamic"}, "data": {"x": "y"}})
assert maps.get(name="dynamic", namespace=namespace).data.x == "y"
maps.patch(name="dynamic", namespace=namespace, body={"data": {"x": "z"}}, content_type="application/merge-patch+json")
for event in maps.watch(namespace=namespace, name="dynamic", timeout=2):
    assert event["raw_object"]["kind"] == "ConfigMap"
maps.delete(name="dynamic", namespace=namespace)
utils.create_from_dict(
    client.ApiClient(), {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": namespace}, "stringData": {"a": "b"}}
)
assert core.read_namespaced_secret("s", namespace).data == {"a": "Yg=="}

# A kind of one's own.
client.ApiextensionsV1Api().create_custom_resource_definition(
    {
        "metadata": {"name": "snakes.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"plural": "snakes", "singular": "snake", "kind": "Snake"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                }
            ],
        },
    }
)
for event in watch.Watch().stream(
    client.ApiextensionsV1Api().list_custom_resource_definition, field_selector="metadata.name=snakes.example.org", timeout_seconds=60
):
    if any(c.type == "Established" and c.status == "True" for c in event["object"].status.conditions or []):
        break
custom = client.CustomObjectsApi()
custom.create_namespaced_custom_object(
    "example.org", "v1", namespace, "snakes", {"apiVersion": "example.org/v1", "kind": "Snake", "metadata": {"name": "kaa"}, "length": 9}
)
assert custom.get_namespaced_custom_object("example.org", "v1", namespace, "snakes", "kaa")["length"] == 9

apps.delete_namespaced_deployment("web", namespace, propagation_policy="Foreground")
core.delete_namespace(namespace)
print("all well")
