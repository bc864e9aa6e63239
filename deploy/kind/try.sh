#!/usr/bin/env bash
# Puts the four images of a registry into the cluster that kubectl talks to, tries them, upgrades one service while calls go on, and takes it back.
#
#   deploy/kind/try.sh REGISTRY DIGESTS     # ghcr.io/acme/gatehouse, and a folder with the digest of each image in a file of its name
#
# Meant for a cluster that is there for this alone: it writes the overlay `kind`, and makes up secrets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
registry=$1
digests=$2
overlay=deploy/kubernetes/overlays/kind
rendered=deploy/kubernetes/rendered/kind
services=(user auth notification console)

say() { printf '\n%s\n' "$*"; }
# Everything that happened, where something did not come true.
tell() {
  kubectl get pods --all-namespaces
  for service in "${services[@]}"; do kubectl -n gatehouse logs "deployment/$service" --tail 40 || true; done
  kubectl -n gatehouse get events --sort-by .lastTimestamp | tail -n 40
}
trap 'status=$?; if [ $status -ne 0 ]; then tell; fi; exit $status' EXIT

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

say 'the images, by digest'
for service in "${services[@]}"; do
  (cd "$overlay/$service" && kustomize edit set image "ghcr.io/gatehouse/$service=$registry/$service@$(cat "$OLDPWD/$digests/$service")")
done
# The mail sink runs on Node, of which an image of ours has one.
(cd "$overlay/dependencies" && kustomize edit set image "ghcr.io/gatehouse/console=$registry/console@$(cat "$OLDPWD/$digests/console")")
kubectl get --raw /openid/v1/jwks > "$overlay/namespace/cluster-jwks.json"
npm run --silent render

say 'everything into the cluster'
kubectl apply -f "$rendered/namespace.yaml"
for namespace in postgres nats gateway; do kubectl create namespace "$namespace" --dry-run=client -o yaml | kubectl apply -f -; done
npm run --silent first-secrets -- --kind | kubectl apply -f -
for unit in dependencies "${services[@]}"; do kubectl apply -f "$rendered/$unit.yaml"; done
for service in "${services[@]}"; do kubectl -n gatehouse rollout status "deployment/$service" --timeout 5m; done

say 'somebody signs up, and what follows'
kubectl -n gateway create configmap smoke --from-file deploy/kind/smoke.mjs --dry-run=client -o yaml | kubectl apply -f -
smoke journey
smoked journey 2m

for service in user auth notification; do
  say "$service at noon: every pod is replaced while calls go on, and taken back while they do"
  smoke "knock-$service" --for 120
  kubectl -n gateway wait "pod/knock-$service" --for condition=Ready --timeout 1m
  kubectl -n gatehouse set env "deployment/$service" LOG_LEVEL=debug
  kubectl -n gatehouse rollout status "deployment/$service" --timeout 3m
  kubectl -n gatehouse rollout undo "deployment/$service"
  kubectl -n gatehouse rollout status "deployment/$service" --timeout 3m
  smoked "knock-$service" 3m
done

say 'and all is as it was'
smoke journey-again
smoked journey-again 2m
