/**
 * What to put where so that clients trust a registry's own authority, as text with commands to copy.
 *
 * @param authorityFile the authority's certificate on this machine
 * @param hosts HOST:PORT as image names begin; without a port when it is 443
 */
export function trustInstructions({
  authorityFile,
  hosts,
}: {
  authorityFile: string;
  hosts: readonly string[];
}): string {
  return [
    `Clients have to trust the authority ${authorityFile} (copy it to the client's machine first).`,
    ...hosts.map((host) => forHost(authorityFile, host)),
    'AWS CLI and SDKs:',
    `  export AWS_CA_BUNDLE=${authorityFile} NODE_EXTRA_CA_CERTS=${authorityFile}`,
  ].join('\n');
}

/** docs.docker.com "certs.d"; containers-certs.d(5); containerd docs/hosts.md; docs.k3s.io "Private Registry Configuration". */
function forHost(authorityFile: string, host: string): string {
  return `docker, for ${host} (needs no restart):
  sudo install -D -m 644 ${authorityFile} /etc/docker/certs.d/${host}/ca.crt
podman, buildah and skopeo, for ${host}:
  sudo install -D -m 644 ${authorityFile} /etc/containers/certs.d/${host}/ca.crt
containerd, for ${host} (config_path = "/etc/containerd/certs.d" in its config.toml):
  sudo install -D -m 644 ${authorityFile} /etc/containerd/certs.d/${host}/ca.crt
  and in /etc/containerd/certs.d/${host}/hosts.toml:
    server = "https://${host}"
    [host."https://${host}"]
      capabilities = ["pull", "resolve", "push"]
      ca = "/etc/containerd/certs.d/${host}/ca.crt"
k3s, for ${host} (restart it afterwards):
  sudo install -D -m 644 ${authorityFile} /etc/rancher/k3s/gantry-ca.crt
  and in /etc/rancher/k3s/registries.yaml:
    configs:
      "${host}":
        tls:
          ca_file: /etc/rancher/k3s/gantry-ca.crt`;
}
