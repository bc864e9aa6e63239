#!/usr/bin/env bash
# Puts the release before into the cluster that kubectl talks to, and tries it; upgrades each service to the new images and takes it back while calls go on;
# upgrades all of them for good, and tries that.
#
#   deploy/kind/try.sh REGISTRY DIGESTS [BEFORE]
#
# REGISTRY   has the images: ghcr.io/acme/gatehouse
# DIGESTS    a folder with the digest of each new image in a file of its name
# BEFORE     the commit that is to be upgraded from; its images have it as tag. Without it the new images are upgraded from themselves
#
# Meant for a cluster that is there for this alone: it makes up secrets.
set -euo pipefail
registry=$1
digests=$(realpath "$2")
before=${3:-}
services=(user auth notification console)
work=$(mktemp -d)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf '\n%s\n' "$*"; }
# Everything that happened, where something did not come true.
tell() {
  kubectl get pods --all-namespaces
  for service in "${services[@]}"; do kubectl -n gatehouse logs "deployment/$service" --tail 40 || true; done
  kubectl -n gatehouse get events --sort-by .lastTimestamp | tail -n 40
}
trap 'status=$?; rm -rf "$work"; if [ $status -ne 0 ]; then tell; fi; exit $status' EXIT

# Runs the smoke test in a pod where the gateway would be, for nobody else may call the web doors.
smoke() {
  local name=$1
  shift
  kubectl -n gateway run "$name" --restart Never --image "$registry/user@$(cat "$digests/user")" --overrides "$(
    node -e '
      const [image, ...args] = process.argv.slice(1)
      const at = (service, port) => `http://${service}:${port}`
      const env = Object.entries({
        ORIGIN: "https://id.example.test",
        AUTH_WEB: at("auth.gatehouse", 8080),
        USER_WEB: at("user.gatehouse", 8080),
        NOTIFICATION_WEB: at("notification.gatehouse", 8080),
        MAILBOX: at("mail.mail", 8025),
      }).map(([name, value]) => ({ name, value }))
      const mount = { name: "smoke", mountPath: "/smoke", readOnly: true }
      const container = { name: "smoke", image, args: ["/smoke/smoke.mjs", ...args], env, volumeMounts: [mount] }
      console.log(JSON.stringify({ spec: { containers: [container], volumes: [{ name: "smoke", configMap: { name: "smoke" } }] } }))
    ' "$registry/user@$(cat "$digests/user")" "$@"
  )"
}
# Ends with what the smoke test in a pod came to.
smoked() {
  kubectl -n gateway wait "pod/$1" --for jsonpath='{.status.containerStatuses[0].state.terminated}' --timeout "$2"
  kubectl -n gateway logs "$1"
  [ "$(kubectl -n gateway get "pod/$1" -o jsonpath='{.status.containerStatuses[0].state.terminated.exitCode}')" = 0 ]
}

new() { echo "$registry/$1@$(cat "$digests/$1")"; }
old() { if [ "$before" ]; then echo "$registry/$1:$before"; else new "$1"; fi; }
# Writes what a release asks of the cluster, a file a unit: its overlay `kind`, with its number and the images that it is of.
render() {
  local release=$1
  local overlay=$work/$release/deploy/kubernetes/overlays/kind
  for service in "${services[@]}"; do
    sed -i "s|\(app.kubernetes.io/version:\) .*|\1 $release|" "$overlay/$service/kustomization.yaml"
    (cd "$overlay/$service" && kustomize edit set image "ghcr.io/gatehouse/$service=$("$release" "$service")")
  done
  # The mail sink runs on Node, of which an image of ours has one.
  (cd "$overlay/dependencies" && kustomize edit set image "ghcr.io/gatehouse/console=$("$release" console)")
  kubectl get --raw /openid/v1/jwks > "$overlay/namespace/cluster-jwks.json"
  for unit in namespace dependencies "${services[@]}"; do kustomize build "$overlay/$unit" > "$work/$release/$unit.yaml"; done
}
rolled_out() { kubectl -n gatehouse rollout status "deployment/$1" --timeout 5m; }

say "from ${before:-the same images, for nothing is named before them}"
mkdir "$work/old" "$work/new"
git archive "${before:-HEAD}" deploy/kubernetes | tar -x -C "$work/old"
git archive HEAD deploy/kubernetes | tar -x -C "$work/new"
render old
render new

say 'the release before, into the cluster'
kubectl apply -f "$work/old/namespace.yaml"
for namespace in postgres nats gateway; do kubectl create namespace "$namespace" --dry-run=client -o yaml | kubectl apply -f -; done
npm run --silent first-secrets -- --kind | kubectl apply -f -
for unit in dependencies "${services[@]}"; do kubectl apply -f "$work/old/$unit.yaml"; done
for service in "${services[@]}"; do rolled_out "$service"; done

say 'somebody signs up, and what follows'
kubectl -n gateway create configmap smoke --from-file deploy/kind/smoke.mjs --dry-run=client -o yaml | kubectl apply -f -
smoke journey
smoked journey 2m

for unit in namespace dependencies; do kubectl apply -f "$work/new/$unit.yaml"; done
for service in user auth notification; do
  say "$service at noon: its new release while calls go on, and the one before again while they do"
  smoke "knock-$service" --for 180
  kubectl -n gateway wait "pod/knock-$service" --for condition=Ready --timeout 1m
  kubectl apply -f "$work/new/$service.yaml"
  rolled_out "$service"
  kubectl -n gatehouse rollout undo "deployment/$service"
  rolled_out "$service"
  smoked "knock-$service" 4m
done

say 'the new release, of everything and for good'
for service in "${services[@]}"; do kubectl apply -f "$work/new/$service.yaml"; done
for service in "${services[@]}"; do rolled_out "$service"; done
smoke journey-again
smoked journey-again 2m
