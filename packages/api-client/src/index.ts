export { ApiError } from './api-error.js';
export { createApiClient, type ApiClient } from './create-api-client.js';
export type { ApiClientOptions, Changed, ChangeOptions } from './send.js';
export type { ListRoute } from './list-route.js';
export type { ServersApi } from './servers.js';
export type { AgentsApi } from './agents.js';
export type { GroupsApi } from './groups.js';
export type { EpochsApi, GrantsApi, PolicyApi, RehearsalOptions, RevisionsApi, SettingsApi } from './policy.js';
export type { AuditApi, NodesApi, OperatorsApi } from './operations.js';
