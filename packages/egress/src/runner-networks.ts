/**
 * Where runners may be beside the public network: on this machine and on networks of one's own, never on link-local addresses, where clouds tell
 * machines their secrets. For addresses that enrolled runners gave of themselves, not for what anybody typed.
 */
export const RUNNER_NETWORKS: readonly string[] = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
];
