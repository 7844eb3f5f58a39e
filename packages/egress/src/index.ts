export { createEgress, type Egress, type EgressOptions, type PoolOptions } from './create-egress.js';
export { EgressRefused, type EgressReason } from './egress-refused.js';
export type { UrlVerdict } from './check-url.js';
export type { Resolve } from './vetted-connector.js';
