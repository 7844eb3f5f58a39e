export type { CallPool, PoolOptions } from './call-pool.js';
export { createEgress, type ApartFetch, type Egress, type EgressOptions } from './create-egress.js';
export { EgressRefused, type EgressReason } from './egress-refused.js';
export { RUNNER_NETWORKS } from './runner-networks.js';
export type { UrlVerdict } from './check-url.js';
export type { Resolve, TlsIdentity } from './vetted-connector.js';
