import { type AccessRequestsApi, accessRequestsApi, type RequestableApi, requestableApi } from './access-requests.js';
import { type AgentsApi, agentsApi } from './agents.js';
import { type KeysApi, keysApi } from './keys.js';
import { type CredentialsApi, credentialsApi } from './credentials.js';
import { type AlertRulesApi, alertRulesApi, type AlertsApi, alertsApi, type WebhooksApi, webhooksApi } from './alerts.js';
import { type AuditApi, auditApi } from './audit.js';
import { type BudgetsApi, budgetsApi, type CostsApi, costsApi, type PricesApi, pricesApi } from './costs.js';
import { type DefinitionsApi, definitionsApi, type DriftApi, driftApi } from './drift.js';
import { type GroupsApi, groupsApi } from './groups.js';
import { type LimitsApi, limitsApi } from './limits.js';
import { type NodesApi, nodesApi, type OperatorsApi, operatorsApi } from './operations.js';
import {
  type EpochsApi,
  epochsApi,
  type GrantsApi,
  grantsApi,
  type PolicyApi,
  policyApi,
  type RevisionsApi,
  revisionsApi,
  type SettingsApi,
  settingsApi,
} from './policy.js';
import { type ImportsApi, importsApi, type SearchApi, searchApi } from './registrations.js';
import { type ProfilesApi, profilesApi, type RunnersApi, runnersApi } from './runners.js';
import { type ApiClientOptions, createOpen, createSend } from './send.js';
import { type ServersApi, serversApi } from './servers.js';

/** The control plane's REST API, noun by noun. Every answer is checked against its contract; every refusal is an ApiError. */
export interface ApiClient {
  servers: ServersApi;
  definitions: DefinitionsApi;
  profiles: ProfilesApi;
  runners: RunnersApi;
  drift: DriftApi;
  imports: ImportsApi;
  search: SearchApi;
  agents: AgentsApi;
  groups: GroupsApi;
  grants: GrantsApi;
  requestable: RequestableApi;
  limits: LimitsApi;
  accessRequests: AccessRequestsApi;
  policy: PolicyApi;
  revisions: RevisionsApi;
  settings: SettingsApi;
  epochs: EpochsApi;
  nodes: NodesApi;
  operators: OperatorsApi;
  audit: AuditApi;
  alerts: AlertsApi;
  alertRules: AlertRulesApi;
  credentials: CredentialsApi;
  keys: KeysApi;
  webhooks: WebhooksApi;
  costs: CostsApi;
  prices: PricesApi;
  budgets: BudgetsApi;
}

export function createApiClient(options: ApiClientOptions): ApiClient {
  const send = createSend(options);
  return {
    servers: serversApi(send),
    definitions: definitionsApi(send),
    profiles: profilesApi(send),
    runners: runnersApi(send),
    drift: driftApi(send),
    imports: importsApi(send),
    search: searchApi(send),
    agents: agentsApi(send),
    groups: groupsApi(send),
    grants: grantsApi(send),
    requestable: requestableApi(send),
    limits: limitsApi(send),
    accessRequests: accessRequestsApi(send),
    policy: policyApi(send),
    revisions: revisionsApi(send),
    settings: settingsApi(send),
    epochs: epochsApi(send),
    nodes: nodesApi(send),
    operators: operatorsApi(send),
    audit: auditApi(send, createOpen(options)),
    alerts: alertsApi(send),
    alertRules: alertRulesApi(send),
    credentials: credentialsApi(send),
    keys: keysApi(send),
    webhooks: webhooksApi(send),
    costs: costsApi(send),
    prices: pricesApi(send),
    budgets: budgetsApi(send),
  };
}
