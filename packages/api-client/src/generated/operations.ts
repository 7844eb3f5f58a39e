// Made from the OpenAPI document of the control plane; a test holds it against that and writes it anew with --update=all.

export type Access = { ref: string; kind: "tools" | "prompts" | "resources"; wireName: string; effect: "allow" | "conditional"; grantId: string; group: string | null; condition: string | null; expiresAt: string | null };

export type AccessPage = { items: Access[]; nextCursor: string | null; hints: string[] };

export type AccessRequest = { id: string; agent: string; server: string; kind: "tools" | "prompts" | "resources"; names: string[]; durationSeconds: number; reason: string; status: "open" | "approved" | "denied" | "withdrawn" | "expired"; filedBy: string | null; createdAt: string; expiresAt: string; decidedBy: string | null; decidedAt: string | null; decisionReason: string | null; grantId: string | null };

export type AccessRequestPage = { items: AccessRequest[]; nextCursor: string | null };

export type AccessRequestThread = { request: AccessRequest; entries: ({ at: string; event: "filed" | "withdrawn" | "expired" | "denied" | "approved" | "granted" | "grant-changed" | "first-used" | "last-used" | "grant-expired" | "grant-ended"; by: string; detail: string | null; callId: string | null })[]; uses: number };

export type AccessShift = { agent: string; kind: "tools" | "prompts" | "resources"; ref: string; before: "allow" | "deny" | "conditional"; after: "allow" | "deny" | "conditional"; grantBefore: string | null; grantAfter: string | null };

export type Agent = { id: string; slug: string; name: string; owner: string | null; toolNameStyle: "double-underscore" | "colon" | "dot"; enabled: boolean; budgetSpentUntil: string | null; groups: string[]; createdAt: string; updatedAt: string };

export type AgentIdentity = { id: string; issuer: string; subject: string; createdAt: string };

export type AgentIdentityPage = { items: AgentIdentity[]; nextCursor: string | null };

export type AgentKey = { id: string; name: string | null; createdAt: string; expiresAt: string | null; revokedAt: string | null; lastUsedAt: string | null };

export type AgentKeyPage = { items: AgentKey[]; nextCursor: string | null };

export type AgentPage = { items: Agent[]; nextCursor: string | null };

export type Alert = { id: string; at: string; ruleId: string | null; rule: string; kind: "denial_burst" | "first_use" | "error_rate" | "volume" | "drift" | "integrity_gap" | "budget" | "credential"; severity: "info" | "warning" | "critical"; summary: string; subject: { [name: string]: string }; values: { [name: string]: number | string | boolean } };

export type AlertPage = { items: Alert[]; nextCursor: string | null };

export type AlertRule = { id: string; name: string; enabled: boolean; when: { kind: "denial_burst"; count: number; withinMinutes: number; per: "agent" | "server"; agent?: string | undefined; server?: string | undefined } | { kind: "first_use"; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "error_rate"; percent: number; callsMin: number; withinMinutes: number; per: "agent" | "server" | "tool"; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "volume"; factor: number; callsMin: number; days: number; per: "agent" | "server" | "tool"; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "drift"; suspendedOnly: boolean; server?: string | undefined } | { kind: "integrity_gap"; node?: string | undefined } | { kind: "budget"; name?: string | undefined } | { kind: "credential"; server?: string | undefined; endsWithinDays: number }; severity: "info" | "warning" | "critical"; webhooks: string[]; quietSeconds: number; createdBy: string; createdAt: string; updatedAt: string };

export type AlertRulePage = { items: AlertRule[]; nextCursor: string | null };

export type ApplyRequest = { changes: DraftChange[]; reason: string };

export type ApplyResult = { revision: number; changed: number; diff: RevisionChange[]; diffTotal: number; preview: Preview | null };

export type ApproveAccessRequest = { reason: string; names?: string[] | undefined; durationSeconds?: number | undefined; condition?: string | undefined };

export type ApproveLaunchProfile = { hash: string; reason?: string | undefined };

export type AuditAggregates = { from: string; to: string; truncated: boolean; rows: ({ agent?: string | null | undefined; server?: string | null | undefined; tool?: string | null | undefined; at?: string | undefined; calls: number; errors: number; denials: number; open: number; p50Ms: number | null; p95Ms: number | null; p99Ms: number | null })[] };

export type AuditCall = { call: AuditRecord; events: ({ phase: "intent" | "outcome" | "single"; at: string; status: string; reason: string | null; node: string; boot: string; seq: number })[]; timings: { totalMs: number | null; upstreamMs: number | null; gatewayMs: number | null }; retries: number; arguments: { value: unknown; hash: string | null; bytes: number | null; kept: "whole" | "part" | "redacted" | "hashed" | "none" }; grant: { id: string; atCall: { [name: string]: unknown } | null; now: Grant | null } | null; definition: { hash: string; json: unknown; approvedNow: boolean } | null; accessRequest: AccessRequest | null; questions: { callId: string; method: string; at: string; status: string }[]; replays: CallReplay[] };

export type AuditHold = { id: string; reason: string; agent: string | null; server: string | null; callId: string | null; from: string | null; to: string | null; createdBy: string; createdAt: string; releasedBy: string | null; releasedAt: string | null };

export type AuditHoldPage = { items: AuditHold[]; nextCursor: string | null };

export type AuditIntegrity = { items: ({ node: string; boot: string; state: "complete" | "arriving" | "missing"; contiguousSeq: number; lastSeq: number; missingEvents: number; missing: { firstSeq: number; lastSeq: number }[]; missingTruncated: boolean; behindSince: string | null; lagSeconds: number; quarantined: number })[]; nextCursor: string | null; totals: { boots: number; arriving: number; missing: number; backlogEvents: number; quarantined: number }; operators: { lastSeq: number; missingEvents: number; missing: { firstSeq: number; lastSeq: number }[]; missingTruncated: boolean }; sealing: { state: "sealing" | "behind" | "held"; block: number | null; sealedAt: string | null; backlogEvents: number; lagSeconds: number; anchors: ({ target: string; block: number; at: string | null; error: string | null })[] } };

export type AuditPairs = { from: string; to: string; truncated: boolean; rows: ({ agent: string | null; server: string | null; tool: string | null; calls: number; denials: number; firstAt: string; lastAt: string; isNew: boolean })[] };

export type AuditRecord = { callId: string; timestamp: string; method: string; agent: string | null; operator: string | null; server: string | null; tool: string | null; args: unknown; argsTruncated: boolean; argsCapture: "full" | "redacted" | "hashed" | "none"; status: "pending" | "success" | "tool_error" | "denied" | "refused" | "upstream_error" | "timeout" | "cancelled" | "error" | "unknown"; decision: "allow" | "deny" | "none"; reason: string | null; grantId: string | null; shadowDecision: "allow" | "deny" | null; shadowGrantId: string | null; keyId: string | null; task: string | null; onBehalfOf: string | null; claimedAgent: string | null; revision: number | null; definitionHash: string | null; durationMs: number | null; upstreamMs: number | null; result: { bytes: number; hash: string | null; summary: string | null; truncated: boolean; capture: "full" | "redacted" | "hashed" | "none" } | null; traceId: string | null; node: string; boot: string | null; seq: number };

export type AuditRecordPage = { items: AuditRecord[]; nextCursor: string | null };

export type AuditRetention = { days: number | null };

export type AuditRetentionRun = { dryRun: boolean; items: ({ day: string; events: number; bytes: number; outcome: "dropped" | "held" | "unsealed" | "busy"; holds: string[] })[] };

export type AuditSigningKeys = { items: { keyId: string; publicKey: string }[]; nextCursor: null };

export type BeginConnection = { redirectUri: string };

export type Budget = { id: string; name: string; subject: { agent: string } | { group: string } | { owner: string }; currency: string; amountMicros: string; warnPercents: number[]; action: "warn" | "block"; month: string; spentMicros: string; createdBy: string; createdAt: string; updatedAt: string };

export type BudgetPage = { items: Budget[]; nextCursor: string | null };

export type CallFlips = { days: number; calls: number; allowedToDenied: number; deniedToAllowed: number; undecidable: number; unexamined: number; samples: FlippedCall[] };

export type CallLimitTerms = { kind: "rate"; calls: number; perSeconds: number } | { kind: "quota"; calls: number; per: "day" | "month" } | { kind: "concurrency"; calls: number };

export type CallReplay = { id: string; replayOf: string; at: string; operator: string; reason: string; server: string; target: string; tool: string; status: "pending" | "success" | "tool_error" | "failed"; durationMs: number | null; resultHash: string | null; resultBytes: number | null; same: boolean | null };

export type CostedCall = { callId: string; at: string; agent: string | null; server: string | null; tool: string | null; priceId: string; resultBytes: number; unitsMicros: string | null; currency: string; costMicros: string };

export type CostedCallPage = { items: CostedCall[]; nextCursor: string | null };

export type Costs = { from: string; to: string; rows: ({ agent?: string | null | undefined; owner?: string | null | undefined; groups?: string[] | undefined; server?: string | null | undefined; tool?: string | null | undefined; month?: string | undefined; day?: string | undefined; currency: string; calls: number; costMicros: string })[]; totals: { currency: string; calls: number; costMicros: string }[] };

export type CreateAccessRequest = { agent: string; server: string; kind?: "tools" | "prompts" | "resources" | undefined; names: string[]; durationSeconds: number; reason: string };

export type CreateAgent = { slug: string; name?: string | undefined; owner?: string | null | undefined; toolNameStyle?: "double-underscore" | "colon" | "dot" | undefined; reason?: string | undefined };

export type CreateAgentIdentity = { issuer: string; subject: string; reason?: string | undefined };

export type CreateAgentKey = { name?: string | undefined; expiresAt?: string | null | undefined };

export type CreateAlertRule = { name: string; enabled?: boolean | undefined; when: { kind: "denial_burst"; count?: number | undefined; withinMinutes?: number | undefined; per?: "agent" | "server" | undefined; agent?: string | undefined; server?: string | undefined } | { kind: "first_use"; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "error_rate"; percent?: number | undefined; callsMin?: number | undefined; withinMinutes?: number | undefined; per?: "agent" | "server" | "tool" | undefined; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "volume"; factor?: number | undefined; callsMin?: number | undefined; days?: number | undefined; per?: "agent" | "server" | "tool" | undefined; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "drift"; suspendedOnly?: boolean | undefined; server?: string | undefined } | { kind: "integrity_gap"; node?: string | undefined } | { kind: "budget"; name?: string | undefined } | { kind: "credential"; server?: string | undefined; endsWithinDays?: number | undefined }; severity?: "info" | "warning" | "critical" | undefined; webhooks?: string[] | undefined; quietSeconds?: number | undefined };

export type CreateAuditHold = { reason: string; agent?: string | undefined; server?: string | undefined; callId?: string | undefined; from?: string | undefined; to?: string | undefined };

export type CreateBudget = { name: string; subject: { agent: string } | { group: string } | { owner: string }; currency: string; amountMicros: string; warnPercents?: number[] | undefined; action?: "warn" | "block" | undefined };

export type CreateCredential = { server: string; agent?: string | undefined; credential: { kind: "headers"; headers: { name: string; value: string }[] } | { kind: "client-credentials"; clientId: string; clientSecret: string; issuer?: string | undefined; tokenEndpoint?: string | undefined; scopes?: string[] | undefined; resource?: string | null | undefined; authentication?: "client_secret_basic" | "client_secret_post" | "none" | undefined } | { kind: "token-exchange"; clientId: string; clientSecret: string; issuer?: string | undefined; tokenEndpoint?: string | undefined; scopes?: string[] | undefined; resource?: string | null | undefined; authentication?: "client_secret_basic" | "client_secret_post" | "none" | undefined; subjectIssuer?: string | undefined; audience?: string | undefined } | { kind: "authorization-code"; clientId?: string | undefined; clientSecret?: string | undefined; issuer?: string | undefined; tokenEndpoint?: string | undefined; scopes?: string[] | undefined; resource?: string | null | undefined; authentication?: "client_secret_basic" | "client_secret_post" | "none" | undefined; authorizationEndpoint?: string | undefined } | { kind: "environment"; variables: { name: string; value: string }[] }; reason?: string | undefined };

export type CreateEpoch = { reason: string };

export type CreateGrant = { agent?: string | undefined; group?: string | undefined; server?: string | undefined; selector?: TargetSelector | undefined; kind?: "tools" | "prompts" | "resources" | undefined; names: string[]; effect?: "allow" | "deny" | undefined; condition?: string | null | undefined; pinned?: { [name: string]: __schema0 } | null | undefined; rateLimit?: GrantRateLimit | null | undefined; mode?: "enforce" | "shadow" | undefined; notBefore?: string | null | undefined; expiresAt?: string | null | undefined; reason?: string | undefined };

export type CreateGroup = { slug: string; name?: string | undefined; reason?: string | undefined };

export type CreateJoinToken = { expiresInSeconds?: number | undefined };

export type CreateLimit = { agent?: string | undefined; group?: string | undefined; server?: string | undefined; tools?: string[] | undefined; terms: CallLimitTerms; reason?: string | undefined };

export type CreateOperator = { name: string; role: "admin" | "auditor" | "approver" | "viewer"; breakGlass?: boolean | undefined };

export type CreateOperatorToken = { expiresAt?: string | null | undefined };

export type CreatePrice = { server: string; tool?: string | undefined; basis?: "call" | "byte" | "unit" | undefined; unit?: string | undefined; amountMicros: string; per?: number | undefined; currency: string; effectiveFrom?: string | undefined };

export type CreateRequestable = { agent?: string | undefined; group?: string | undefined; server?: string | undefined; selector?: TargetSelector | undefined; kind?: "tools" | "prompts" | "resources" | undefined; names: string[]; durationSecondsMax?: number | undefined; reason?: string | undefined };

export type CreateServer = { slug: string; url?: string | undefined; name?: string | undefined; protocol?: "auto" | "legacy" | "modern" | undefined; transport?: "auto" | "streamable-http" | "sse" | "stdio" | undefined; profile?: { program: { kind: "executable"; path: string } | { kind: "npm"; name: string; version: string; command?: string | undefined } | { kind: "uv"; name: string; version: string; command?: string | undefined }; args?: string[] | undefined; workingFolder?: string | null | undefined; environment?: { [name: string]: { value: string } | { secret: string } } | undefined; limits?: { memoryMib?: number | undefined; cpuPercent?: number | undefined; openFiles?: number | undefined; processes?: number | undefined; fileMib?: number | undefined } | undefined; idleSeconds?: number | undefined; instances?: { mode: "shared" } | { mode: "per-agent"; most?: number | undefined } | undefined; network?: "none" | "outbound" | undefined } | undefined; tags?: string[] | undefined; environment?: string | null | undefined; description?: string | null | undefined; refreshIntervalSeconds?: number | undefined; keepServing?: "none" | "descriptions-only" | undefined; driftBudgetPerDay?: number | undefined; approve?: "none" | "all" | undefined; reason?: string | undefined };

export type CreateTaskKey = { task: string; servers?: string[] | undefined; tools?: string[] | undefined; ttlSeconds?: number | undefined };

export type CreateWebhook = { name: string; url: string; secret?: string | undefined; enabled?: boolean | undefined };

export type CreatedAgentKey = { id: string; name: string | null; createdAt: string; expiresAt: string | null; revokedAt: string | null; lastUsedAt: string | null; key: string };

export type CreatedOperatorToken = { id: string; token: string; createdAt: string; expiresAt: string | null };

export type CreatedTaskKey = { id: string; key: string; task: string; agent: string; parentKeyId: string; expiresAt: string };

export type Credential = { id: string; server: string; agent: string | null; kind: "headers" | "client-credentials" | "token-exchange" | "authorization-code" | "environment"; version: number; hasSecret: boolean; status: "ready" | "unconnected" | "reconnect"; statusReason: string | null; headers: string[]; variables: string[]; oauth: { issuer: string | null; authorizationEndpoint: string | null; tokenEndpoint: string; clientId: string | null; scopes: string[]; resource: string | null; authentication: "client_secret_basic" | "client_secret_post" | "none"; client: "configured" | "metadata-document" | "registered"; exchange?: { subjectIssuer: string; audience: string | null } | undefined } | null; connectedAt: string | null; connectedBy: string | null; tokenExpiresAt: string | null; createdBy: string; createdAt: string; updatedAt: string; next: string[] };

export type CredentialConnection = { authorizationUrl: string; redirectUri: string; expiresAt: string };

export type CredentialPage = { items: Credential[]; nextCursor: string | null };

export type DecideDefinitions = { all: true; reason?: string | undefined } | { definitions: ({ id: string; hash?: string | undefined })[]; reason?: string | undefined };

export type DecideDefinitionsResult = { decided: number; server: Server };

export type DecideSelection = { select: { server?: string | undefined; tag?: string | undefined; states?: ("pending" | "approved" | "changed" | "rejected" | "removed")[] | undefined; kinds?: ("tool" | "prompt" | "resource" | "resource_template" | "instructions")[] | undefined; names?: string[] | undefined }; dryRun: true } | { select: { server?: string | undefined; tag?: string | undefined; states?: ("pending" | "approved" | "changed" | "rejected" | "removed")[] | undefined; kinds?: ("tool" | "prompt" | "resource" | "resource_template" | "instructions")[] | undefined; names?: string[] | undefined }; hash: string; reason: string };

export type Definition = { id: string; ref: string; kind: "tool" | "prompt" | "resource" | "resource_template" | "instructions"; name: string; state: "pending" | "approved" | "changed" | "rejected" | "removed"; served: boolean; hash: string; approvedHash: string | null; offered: unknown; approved: unknown; firstSeenAt: string; lastSeenAt: string; decidedAt: string | null; decidedBy: string | null };

export type DefinitionDiff = { definition: { id: string; ref: string; kind: "tool" | "prompt" | "resource" | "resource_template" | "instructions"; name: string; state: "pending" | "approved" | "changed" | "rejected" | "removed"; hash: string; approvedHash: string | null; served: boolean }; before: unknown; after: unknown; fields: FieldChange[]; descriptionsOnly: boolean; marks: DefinitionMark[] };

export type DefinitionMark = { code: "hidden_characters" | "bidirectional_characters" | "instruction_like" | "new_url" | "no_longer_read_only" | "became_destructive" | "became_open_world" | "new_required_parameter" | "new_parameter" | "wider_schema" | "removed_enum" | "name_look_alike" | "names_other_tool"; pointer: string; detail: string; characters?: { codePoint: string; at: number }[] | undefined };

export type DefinitionPage = { items: Definition[]; nextCursor: string | null };

export type DenyAccessRequest = { reason: string };

export type DiscoveryReport = { finished: boolean; server: Server };

export type DraftChange = { do: "grant.create"; grant: CreateGrant } | { do: "grant.update"; id: string; change: UpdateGrant } | { do: "grant.delete"; id: string } | { do: "requestable.create"; rule: CreateRequestable } | { do: "requestable.update"; id: string; change: UpdateRequestable } | { do: "requestable.delete"; id: string } | { do: "limit.create"; limit: CreateLimit } | { do: "limit.update"; id: string; change: UpdateLimit } | { do: "limit.delete"; id: string } | { do: "group-member.add"; group: string; agent: string } | { do: "group-member.remove"; group: string; agent: string } | { do: "group.create"; group: CreateGroup } | { do: "group.delete"; group: string } | { do: "agent.create"; agent: CreateAgent } | { do: "agent.update"; agent: string; change: UpdateAgent } | { do: "agent.delete"; agent: string } | { do: "server.update"; server: string; change: { tags?: string[] | undefined; environment?: string | null | undefined; enabled?: boolean | undefined; protocol?: "auto" | "legacy" | "modern" | undefined; auditCapture?: { arguments?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; results?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; tools?: ({ names: string[]; arguments?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; results?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined })[] | undefined } | null | undefined; answerRules?: { bytesMax?: number | undefined; rules: ({ names: string[]; agents?: string[] | undefined; action: "log" | "redact" | "block"; secrets?: true | undefined; texts?: string[] | undefined; paths?: string[] | undefined })[] } | null | undefined } } | { do: "definitions.approve"; server: string; definitions: DecideDefinitions } | { do: "definitions.reject"; server: string; definitions: DecideDefinitions } | { do: "settings.update"; change: { staleAfterSeconds?: number | undefined; auditRelease?: "queue" | "spool" | "both" | undefined; auditLists?: boolean | undefined; auditArgumentBytesMax?: number | undefined; publicUrl?: string | null | undefined; tokenIssuers?: ({ issuer: string; jwksUri?: string | undefined; audiences?: string[] | undefined; algorithms?: ("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA")[] | undefined; agentClaim?: string | undefined; subjectClaim?: string | null | undefined; requiredScopes?: string[] | undefined; lifetimeSecondsMax?: number | undefined })[] | undefined; auditCapture?: { arguments?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; paths?: string[] | undefined } | undefined; results?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined } | undefined } };

export type DriftChange = { id: string; at: string; serverId: string; server: string; change: "added" | "changed" | "removed" | "returned" | "server" | "tls_key"; definition: { id: string; ref: string; kind: "tool" | "prompt" | "resource" | "resource_template" | "instructions"; name: string } | null; state: "pending" | "approved" | "changed" | "rejected" | "removed" | null; beforeHash: string | null; afterHash: string | null; fields: ({ pointer: string; change: "added" | "removed" | "replaced" })[]; marks: DefinitionMark[]; decision: { verdict: "approved" | "rejected" | "superseded"; at: string; by: string | null; reason: string | null } | null };

export type DriftChangeDetail = { id: string; at: string; serverId: string; server: string; change: "added" | "changed" | "removed" | "returned" | "server" | "tls_key"; definition: { id: string; ref: string; kind: "tool" | "prompt" | "resource" | "resource_template" | "instructions"; name: string } | null; state: "pending" | "approved" | "changed" | "rejected" | "removed" | null; beforeHash: string | null; afterHash: string | null; fields: FieldChange[]; marks: DefinitionMark[]; decision: { verdict: "approved" | "rejected" | "superseded"; at: string; by: string | null; reason: string | null } | null; before: unknown; after: unknown };

export type DriftPage = { items: DriftChange[]; nextCursor: string | null; total: number; servers: { serverId: string; server: string; changes: number }[] };

export type Epoch = { epoch: number; revision: number; ahead: { epoch: number; revision: number } | null };

export type ExplainRequest = { agent: string; target: string; kind?: "tools" | "prompts" | "resources" | undefined; arguments?: { [name: string]: unknown } | undefined; task?: { servers?: string[] | undefined; tools?: string[] | undefined } | undefined };

export type ExplainResponse = { effect: "allow" | "deny" | "conditional"; visible: boolean; grantId: string | null; steps: ({ code: string; text: string; grantId: string | null })[]; hints: string[]; revision: number };

export type FieldChange = { pointer: string; change: "added" | "removed" | "replaced"; before?: unknown | undefined; after?: unknown | undefined };

export type FinishConnection = { state: string; code: string; iss?: string | undefined };

export type FlippedCall = { callId: string; timestamp: string; agent: string; ref: string; kind: "tools" | "prompts" | "resources"; recorded: "allow" | "deny"; before: "allow" | "deny"; after: "allow" | "deny" };

export type Grant = { id: string; subject: { agent: string } | { group: string }; server: string | null; selector: TargetSelector | null; kind: "tools" | "prompts" | "resources"; names: string[]; effect: "allow" | "deny"; condition: string | null; pinned: { [name: string]: __schema0 } | null; rateLimit: GrantRateLimit | null; mode: "enforce" | "shadow"; notBefore: string | null; expiresAt: string | null; reason: string | null; createdBy: string; createdAt: string; updatedAt: string };

export type GrantPage = { items: Grant[]; nextCursor: string | null };

export type GrantRateLimit = { calls: number; perSeconds: number };

export type Group = { id: string; slug: string; name: string; memberCount: number; createdAt: string };

export type GroupPage = { items: Group[]; nextCursor: string | null };

export type Import = { id: string; source: "jsonl" | "mcp.json" | "registry" | "csv"; origin: string; dryRun: boolean; url: string | null; updatedSince: string | null; state: "running" | "finished" | "cancelled" | "interrupted" | "failed"; detail: string | null; received: number; created: number; updated: number; unchanged: number; skipped: number; failed: number; revision: number | null; createdBy: string; createdAt: string; finishedAt: string | null };

export type ImportPage = { items: Import[]; nextCursor: string | null };

export type ImportRow = { number: number; line: number; state: "created" | "updated" | "unchanged" | "skipped" | "failed"; code: string | null; pointer: string | null; detail: string | null; sourceId: string | null; slug: string | null; notes: string[] };

export type ImportRowPage = { items: ImportRow[]; nextCursor: string | null };

export type JoinToken = { token: string; expiresAt: string };

export type KeyGenerations = { purpose: "signing" | "sealing" | "credential" | "session" | "pepper"; keys: { keyId: string; createdAt: string }[]; waiting: number };

export type KeyRingReport = { items: KeyGenerations[]; master: MasterKeyState; nextCursor: null };

export type LaunchProfilePage = { items: LaunchProfileVersion[]; nextCursor: string | null };

export type LaunchProfileVersion = { id: string; server: string; version: number; state: "pending" | "approved" | "rejected" | "superseded"; profile: { program: { kind: "executable"; path: string } | { kind: "npm"; name: string; version: string; command?: string | undefined } | { kind: "uv"; name: string; version: string; command?: string | undefined }; args: string[]; workingFolder: string | null; environment: { [name: string]: { value: string } | { secret: string } }; limits: { memoryMib: number; cpuPercent: number; openFiles: number; processes: number; fileMib: number }; idleSeconds: number; instances: { mode: "shared" } | { mode: "per-agent"; most: number }; network: "none" | "outbound" }; hash: string; proposedBy: string; proposedAt: string; reason: string | null; decidedBy: string | null; decidedAt: string | null; decisionReason: string | null; next: string[] };

export type LeastPrivilegeFinding = { kind: "unused"; grant: Grant; draft: { changes: DraftChange[] } } | { kind: "broad"; grant: Grant; used: string[]; calls: number; lastUsedAt: string; draft: { changes: DraftChange[] } } | { kind: "agents"; agent: string; held: number; used: number; draft: { changes: DraftChange[] } | null };

export type LeastPrivilegePage = { items: LeastPrivilegeFinding[]; nextCursor: string | null; days: number };

export type Limit = { id: string; subject: { agent: string } | { group: string } | { server: string; tools: string[] | null }; terms: CallLimitTerms; used: number | null; spentUntil: string | null; reason: string | null; createdBy: string; createdAt: string; updatedAt: string };

export type LimitPage = { items: Limit[]; nextCursor: string | null };

export type LimitShift = { id: string | null; subject: { agent: string } | { group: string } | { server: string; tools: string[] | null }; before: CallLimitTerms | null; after: CallLimitTerms | null; refused: number; calls: number | null; beyond: number | null };

export type MasterKeyState = { keyId: string; waiting: number };

export type MoveServer = { runner?: string | undefined; reason?: string | undefined };

export type Node = { id: string; name: string; url: string | null; version: string | null; enrolledAt: string; lastSeenAt: string | null; live: boolean; epoch: number | null; appliedRevision: number | null; policyAgeMs: number | null; schemaMax: number | null; refused: { revision: number | null; reason: string } | null };

export type NodePage = { items: Node[]; nextCursor: string | null };

export type Operator = { id: string; name: string; role: "admin" | "auditor" | "approver" | "viewer"; breakGlass: boolean; enabled: boolean; createdAt: string };

export type OperatorPage = { items: Operator[]; nextCursor: string | null };

export type OperatorToken = { id: string; createdAt: string; expiresAt: string | null; revokedAt: string | null };

export type OperatorTokenPage = { items: OperatorToken[]; nextCursor: string | null };

export type Preview = { revision: number; gained: { count: number; items: AccessShift[]; nextCursor: string | null }; lost: { count: number; items: AccessShift[]; nextCursor: string | null }; conditional: { count: number; items: AccessShift[]; nextCursor: string | null }; calls: CallFlips | null; limits: { count: number; items: LimitShift[] } | null };

export type PreviewRequest = { changes: DraftChange[]; days?: number | undefined };

export type Price = { id: string; server: string; tool: string; basis: "call" | "byte" | "unit"; unit: string | null; amountMicros: string; per: number; currency: string; effectiveFrom: string; createdBy: string; createdAt: string };

export type PricePage = { items: Price[]; nextCursor: string | null };

export type Problem = { type: string; title: string; status: number; detail?: string | undefined; instance?: string | undefined; errors?: { pointer: string; detail: string }[] | undefined };

export type ProposeLaunchProfile = { profile: { program: { kind: "executable"; path: string } | { kind: "npm"; name: string; version: string; command?: string | undefined } | { kind: "uv"; name: string; version: string; command?: string | undefined }; args?: string[] | undefined; workingFolder?: string | null | undefined; environment?: { [name: string]: { value: string } | { secret: string } } | undefined; limits?: { memoryMib?: number | undefined; cpuPercent?: number | undefined; openFiles?: number | undefined; processes?: number | undefined; fileMib?: number | undefined } | undefined; idleSeconds?: number | undefined; instances?: { mode: "shared" } | { mode: "per-agent"; most?: number | undefined } | undefined; network?: "none" | "outbound" | undefined }; reason?: string | undefined };

export type PullRegistry = { url?: string | undefined; updatedSince?: string | "last" | undefined; dryRun?: boolean | undefined };

export type RejectLaunchProfile = { reason?: string | undefined };

export type ReplaceCredential = { credential: { kind: "headers"; headers: { name: string; value: string }[] } | { kind: "client-credentials"; clientId: string; clientSecret: string; issuer?: string | undefined; tokenEndpoint?: string | undefined; scopes?: string[] | undefined; resource?: string | null | undefined; authentication?: "client_secret_basic" | "client_secret_post" | "none" | undefined } | { kind: "token-exchange"; clientId: string; clientSecret: string; issuer?: string | undefined; tokenEndpoint?: string | undefined; scopes?: string[] | undefined; resource?: string | null | undefined; authentication?: "client_secret_basic" | "client_secret_post" | "none" | undefined; subjectIssuer?: string | undefined; audience?: string | undefined } | { kind: "authorization-code"; clientId?: string | undefined; clientSecret?: string | undefined; issuer?: string | undefined; tokenEndpoint?: string | undefined; scopes?: string[] | undefined; resource?: string | null | undefined; authentication?: "client_secret_basic" | "client_secret_post" | "none" | undefined; authorizationEndpoint?: string | undefined } | { kind: "environment"; variables: { name: string; value: string }[] }; reason?: string | undefined };

export type ReplaceServerTls = { ca?: string | null | undefined; client?: { certificate: string; key: string } | null | undefined; reason?: string | undefined };

export type ReplayCall = { reason: string; target?: string | undefined; allowWrites?: boolean | undefined };

export type ReplayResult = { id: string; replayOf: string; at: string; operator: string; reason: string; server: string; target: string; tool: string; status: "pending" | "success" | "tool_error" | "failed"; durationMs: number | null; resultHash: string | null; resultBytes: number | null; same: boolean | null; error: string | null; comparedBy: "value" | "hash" | "none"; changes: ({ pointer: string; change: "added" | "removed" | "replaced"; before?: string | undefined; after?: string | undefined })[]; changesTruncated: boolean };

export type Requestable = { id: string; subject: { agent: string } | { group: string }; server: string | null; selector: TargetSelector | null; kind: "tools" | "prompts" | "resources"; names: string[]; durationSecondsMax: number; reason: string | null; createdBy: string; createdAt: string; updatedAt: string };

export type RequestablePage = { items: Requestable[]; nextCursor: string | null };

export type RestartServer = { reason?: string | undefined };

export type ResumeServer = { reason: string };

export type RevertRevision = { reason: string };

export type Revision = { revision: number; author: string; action: string; reason: string | null; change: unknown; createdAt: string; publishedAt: string | null };

export type RevisionChange = { kind: string; id: string; operation: "created" | "updated" | "deleted"; before: { [name: string]: unknown } | null; after: { [name: string]: unknown } | null };

export type RevisionDetail = { revision: number; author: string; action: string; reason: string | null; change: unknown; createdAt: string; publishedAt: string | null; revertOf: number | null; diff: RevisionChange[]; diffTotal: number };

export type RevisionPage = { items: Revision[]; nextCursor: string | null };

export type RotateAgentKey = { overlapSeconds?: number | undefined; name?: string | undefined; expiresAt?: string | null | undefined; reason?: string | undefined };

export type RotateKey = { endOlder?: boolean | undefined };

export type RotateWebhookSecret = { secret?: string | undefined; bothForSeconds?: number | undefined };

export type RotatedAgentKey = { id: string; name: string | null; createdAt: string; expiresAt: string | null; revokedAt: string | null; lastUsedAt: string | null; key: string; replaced: AgentKey };

export type RunAuditRetention = { dryRun?: boolean | undefined };

export type Runner = { id: string; name: string; address: string | null; version: string | null; enrolledAt: string; lastSeenAt: string | null; live: boolean; capacity: number; sandbox: { [name: string]: { enforced: true } | { enforced: false; reason: string } } | null; sandboxGaps: string[]; servers: ({ server: string; state: "idle" | "installing" | "starting" | "running" | "backing-off" | "quarantined" | "failed"; instances: number; restarts: number; junkLines: number; throttled: boolean; lastError: string | null })[] };

export type RunnerPage = { items: Runner[]; nextCursor: string | null };

export type SearchHit = { match: "exact" | "prefix" | "text" | "fuzzy"; kind: "server" | "tool" | "prompt" | "resource" | "resource_template"; id: string; ref: string; name: string; title: string | null; snippet: string; server: { id: string; slug: string }; state: "pending" | "approved" | "changed" | "rejected" | "removed" | null };

export type SearchPage = { items: SearchHit[]; nextCursor: string | null };

export type SelectionDecision = { selected: number; decided: number; hash: string; definitions: ({ id: string; ref: string; kind: "tool" | "prompt" | "resource" | "resource_template" | "instructions"; name: string; state: "pending" | "approved" | "changed" | "rejected" | "removed"; hash: string; approvedHash: string | null })[] };

export type Server = { id: string; slug: string; name: string; url: string; protocol: "auto" | "legacy" | "modern"; era: "legacy" | "modern" | null; bothEras: boolean; transport: "streamable-http" | "sse" | "stdio"; transportPin: "auto" | "streamable-http" | "sse" | "stdio"; hosting: { profile: { version: number; hash: string } | null; waiting: { version: number; hash: string } | null; missingSecrets: string[]; runner: { id: string; name: string; live: boolean } | null; child: { state: "idle" | "installing" | "starting" | "running" | "backing-off" | "quarantined" | "failed"; instances: number; restarts: number; junkLines: number; throttled: boolean; lastError: string | null } | null; sandboxGaps: string[] } | null; tags: string[]; environment: string | null; description: string | null; importedFrom: { source: string; id: string } | null; enabled: boolean; refreshIntervalSeconds: number; keepServing: "none" | "descriptions-only"; driftBudgetPerDay: number; auditCapture: { arguments?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; results?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; tools?: ({ names: string[]; arguments?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; results?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined })[] | undefined } | null; answerRules: { bytesMax?: number | undefined; rules: ({ names: string[]; agents?: string[] | undefined; action: "log" | "redact" | "block"; secrets?: true | undefined; texts?: string[] | undefined; paths?: string[] | undefined })[] } | null; suspension: { at: string; reason: string } | null; software: string | null; tlsKey: string | null; instructions: string | null; discovery: { status: "never" | "ok" | "failed"; at: string | null; error: string | null; problems: ({ kind: "tool" | "prompt" | "resource" | "resource_template"; index: number; reason: string; cut?: boolean | undefined })[] }; definitions: { pending: number; approved: number; changed: number; rejected: number; removed: number }; credentialTroubles: ({ state: "unconnected" | "reconnect" | "failing" | "ends-soon"; credentialId: string | null; agent: string | null; reason: string; endsAt: string | null })[]; next: string[]; createdAt: string; updatedAt: string };

export type ServerLog = { server: string; text: string; at: string | null };

export type ServerPage = { items: Server[]; nextCursor: string | null };

export type ServerTls = { server: string; version: number; status: "ready" | "reconnect"; statusReason: string | null; ca: string | null; authorities: { subject: string; issuer: string; notBefore: string; expiresAt: string; fingerprint: string }[]; clientCertificate: string | null; client: { subject: string; issuer: string; notBefore: string; expiresAt: string; fingerprint: string }[]; expiresAt: string | null; updatedBy: string; updatedAt: string };

export type SetAuditRetention = { days: number | null; reason: string };

export type Settings = { staleAfterSeconds: number; auditRelease: "queue" | "spool" | "both"; auditLists: boolean; auditArgumentBytesMax: number; publicUrl: string | null; tokenIssuers: ({ issuer: string; jwksUri?: string | undefined; audiences: string[]; algorithms: ("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA")[]; agentClaim: string; subjectClaim: string | null; requiredScopes: string[]; lifetimeSecondsMax: number })[]; auditCapture: { arguments: { mode: "full" | "redacted" | "hashed" | "none"; paths: string[] }; results: { mode: "full" | "redacted" | "hashed" | "none"; bytesMax: number; paths: string[] } } };

export type ShadowReport = { grantId: string; mode: "enforce" | "shadow"; since: string; wouldAllow: number; wouldDeny: number; rows: ({ agent: string | null; server: string | null; tool: string | null; decision: "allow" | "deny"; calls: number; lastAt: string; samples: string[] })[]; truncated: boolean };

export type TargetSelector = { tags?: { allOf?: string[] | undefined; anyOf?: string[] | undefined } | undefined; environment?: string | undefined; annotations?: { readOnlyHint?: boolean | undefined; destructiveHint?: boolean | undefined; idempotentHint?: boolean | undefined; openWorldHint?: boolean | undefined } | undefined };

export type UpdateAgent = { name?: string | undefined; owner?: string | null | undefined; toolNameStyle?: "double-underscore" | "colon" | "dot" | undefined; enabled?: boolean | undefined; reason?: string | undefined };

export type UpdateAlertRule = { name?: string | undefined; enabled?: boolean | undefined; when?: { kind: "denial_burst"; count?: number | undefined; withinMinutes?: number | undefined; per?: "agent" | "server" | undefined; agent?: string | undefined; server?: string | undefined } | { kind: "first_use"; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "error_rate"; percent?: number | undefined; callsMin?: number | undefined; withinMinutes?: number | undefined; per?: "agent" | "server" | "tool" | undefined; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "volume"; factor?: number | undefined; callsMin?: number | undefined; days?: number | undefined; per?: "agent" | "server" | "tool" | undefined; agent?: string | undefined; server?: string | undefined; tool?: string | undefined } | { kind: "drift"; suspendedOnly?: boolean | undefined; server?: string | undefined } | { kind: "integrity_gap"; node?: string | undefined } | { kind: "budget"; name?: string | undefined } | { kind: "credential"; server?: string | undefined; endsWithinDays?: number | undefined } | undefined; severity?: "info" | "warning" | "critical" | undefined; webhooks?: string[] | undefined; quietSeconds?: number | undefined };

export type UpdateBudget = { name?: string | undefined; amountMicros?: string | undefined; warnPercents?: number[] | undefined; action?: "warn" | "block" | undefined };

export type UpdateGrant = { names?: string[] | undefined; condition?: string | null | undefined; pinned?: { [name: string]: __schema0 } | null | undefined; rateLimit?: GrantRateLimit | null | undefined; mode?: "enforce" | "shadow" | undefined; notBefore?: string | null | undefined; expiresAt?: string | null | undefined; reason?: string | undefined };

export type UpdateLimit = { terms?: CallLimitTerms | undefined; tools?: string[] | undefined; reason?: string | undefined };

export type UpdateOperator = { role?: "admin" | "auditor" | "approver" | "viewer" | undefined; breakGlass?: boolean | undefined; enabled?: boolean | undefined };

export type UpdateRequestable = { names?: string[] | undefined; durationSecondsMax?: number | undefined; reason?: string | undefined };

export type UpdateServer = { url?: string | undefined; name?: string | undefined; protocol?: "auto" | "legacy" | "modern" | undefined; transport?: "auto" | "streamable-http" | "sse" | "stdio" | undefined; tags?: string[] | undefined; environment?: string | null | undefined; description?: string | null | undefined; refreshIntervalSeconds?: number | undefined; keepServing?: "none" | "descriptions-only" | undefined; driftBudgetPerDay?: number | undefined; auditCapture?: { arguments?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; results?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; tools?: ({ names: string[]; arguments?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined; results?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined })[] | undefined } | null | undefined; answerRules?: { bytesMax?: number | undefined; rules: ({ names: string[]; agents?: string[] | undefined; action: "log" | "redact" | "block"; secrets?: true | undefined; texts?: string[] | undefined; paths?: string[] | undefined })[] } | null | undefined; enabled?: boolean | undefined; reason?: string | undefined };

export type UpdateSettings = { staleAfterSeconds?: number | undefined; auditRelease?: "queue" | "spool" | "both" | undefined; auditLists?: boolean | undefined; auditArgumentBytesMax?: number | undefined; publicUrl?: string | null | undefined; tokenIssuers?: ({ issuer: string; jwksUri?: string | undefined; audiences?: string[] | undefined; algorithms?: ("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA")[] | undefined; agentClaim?: string | undefined; subjectClaim?: string | null | undefined; requiredScopes?: string[] | undefined; lifetimeSecondsMax?: number | undefined })[] | undefined; auditCapture?: { arguments?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; paths?: string[] | undefined } | undefined; results?: { mode?: "full" | "redacted" | "hashed" | "none" | undefined; bytesMax?: number | undefined; paths?: string[] | undefined } | undefined } | undefined; reason?: string | undefined };

export type UpdateWebhook = { name?: string | undefined; url?: string | undefined; enabled?: boolean | undefined };

export type Webhook = { id: string; name: string; url: string; enabled: boolean; previousSecretUntil: string | null; disabledReason: string | null; createdAt: string; updatedAt: string };

export type WebhookDelivery = { id: string; webhookId: string; messageId: string; type: string; alertId: string | null; state: "pending" | "delivered" | "dead"; attempts: number; createdAt: string; nextAttemptAt: string | null; deliveredAt: string | null; lastStatus: number | null; lastError: string | null };

export type WebhookDeliveryPage = { items: WebhookDelivery[]; nextCursor: string | null };

export type WebhookPage = { items: Webhook[]; nextCursor: string | null };

export type WebhookTestResult = { delivered: boolean; status: number | null; error: string | null; durationMs: number };

export type WebhookWithSecret = { id: string; name: string; url: string; enabled: boolean; previousSecretUntil: string | null; disabledReason: string | null; createdAt: string; updatedAt: string; secret: string | null };

export type __schema0 = string | number | boolean | null | __schema0[] | { [name: string]: __schema0 };

export interface Operations {
  'DELETE /v1/agents/{agent}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/agents/{agent}/identities/{identity}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/agents/{agent}/keys/{key}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/alert-rules/{id}': { query: object; body: undefined; answer: undefined };
  'DELETE /v1/audit/holds/{id}': { query: object; body: undefined; answer: AuditHold };
  'DELETE /v1/budgets/{id}': { query: object; body: undefined; answer: undefined };
  'DELETE /v1/credentials/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/grants/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/groups/{group}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/groups/{group}/members/{agent}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/limits/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/nodes/{id}': { query: object; body: undefined; answer: undefined };
  'DELETE /v1/operators/{operator}': { query: object; body: undefined; answer: undefined };
  'DELETE /v1/operators/{operator}/tokens/{token}': { query: object; body: undefined; answer: undefined };
  'DELETE /v1/prices/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/requestable/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/runners/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/servers/{server}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/servers/{server}/tls': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'DELETE /v1/webhooks/{id}': { query: object; body: undefined; answer: undefined };
  'GET /v1/access-requests': { query: { limit?: number | undefined; cursor?: string | undefined; agent?: string | undefined; status?: "open" | "approved" | "denied" | "withdrawn" | "expired" | undefined }; body: undefined; answer: AccessRequestPage };
  'GET /v1/access-requests/{id}': { query: object; body: undefined; answer: AccessRequest };
  'GET /v1/access-requests/{id}/thread': { query: object; body: undefined; answer: AccessRequestThread };
  'GET /v1/agents': { query: { limit?: number | undefined; cursor?: string | undefined; q?: string | undefined }; body: undefined; answer: AgentPage };
  'GET /v1/agents/{agent}': { query: object; body: undefined; answer: Agent };
  'GET /v1/agents/{agent}/access': { query: { limit?: number | undefined; cursor?: string | undefined; kind?: "tools" | "prompts" | "resources" | undefined }; body: undefined; answer: AccessPage };
  'GET /v1/agents/{agent}/identities': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: AgentIdentityPage };
  'GET /v1/agents/{agent}/keys': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: AgentKeyPage };
  'GET /v1/alert-rules': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: AlertRulePage };
  'GET /v1/alert-rules/{id}': { query: object; body: undefined; answer: AlertRule };
  'GET /v1/alerts': { query: { limit?: number | undefined; cursor?: string | undefined; rule?: string | undefined; kind?: "denial_burst" | "first_use" | "error_rate" | "volume" | "drift" | "integrity_gap" | "budget" | "credential" | undefined }; body: undefined; answer: AlertPage };
  'GET /v1/audit/aggregates': { query: { by: "agent" | "server" | "tool" | "hour" | "day"; from?: string | undefined; to?: string | undefined; agent?: string | undefined; server?: string | undefined; tool?: string | undefined; limit?: number | undefined }; body: undefined; answer: AuditAggregates };
  'GET /v1/audit/calls/{callId}': { query: object; body: undefined; answer: AuditCall };
  'GET /v1/audit/events': { query: { limit?: number | undefined; cursor?: string | undefined; agent?: string | undefined; group?: string | undefined; owner?: string | undefined; operator?: string | undefined; server?: string | undefined; tool?: string | undefined; task?: string | undefined; onBehalfOf?: string | undefined; claimedAgent?: string | undefined; method?: string | undefined; decision?: "allow" | "deny" | "none" | undefined; status?: "pending" | "success" | "tool_error" | "denied" | "refused" | "upstream_error" | "timeout" | "cancelled" | "error" | "unknown" | undefined; from?: string | undefined; to?: string | undefined; durationMsMin?: number | undefined; durationMsMax?: number | undefined; revision?: number | undefined; revisionMin?: number | undefined; revisionMax?: number | undefined; traceId?: string | undefined; requestId?: string | undefined; node?: string | undefined; argumentsText?: string | undefined; resultText?: string | undefined; q?: string | undefined }; body: undefined; answer: AuditRecordPage };
  'GET /v1/audit/events/{callId}': { query: object; body: undefined; answer: AuditRecord };
  'GET /v1/audit/export': { query: { agent?: string | undefined; group?: string | undefined; owner?: string | undefined; operator?: string | undefined; server?: string | undefined; tool?: string | undefined; task?: string | undefined; onBehalfOf?: string | undefined; claimedAgent?: string | undefined; method?: string | undefined; decision?: "allow" | "deny" | "none" | undefined; status?: "pending" | "success" | "tool_error" | "denied" | "refused" | "upstream_error" | "timeout" | "cancelled" | "error" | "unknown" | undefined; from?: string | undefined; to?: string | undefined; durationMsMin?: number | undefined; durationMsMax?: number | undefined; revision?: number | undefined; revisionMin?: number | undefined; revisionMax?: number | undefined; traceId?: string | undefined; requestId?: string | undefined; node?: string | undefined; argumentsText?: string | undefined; resultText?: string | undefined; q?: string | undefined; format?: "ndjson" | "csv" | undefined; after?: string | undefined }; body: undefined; answer: undefined };
  'GET /v1/audit/holds': { query: { limit?: number | undefined; cursor?: string | undefined; released?: boolean | "true" | "false" | undefined }; body: undefined; answer: AuditHoldPage };
  'GET /v1/audit/integrity': { query: { limit?: number | undefined; cursor?: string | undefined; node?: string | undefined; state?: "complete" | "arriving" | "missing" | undefined }; body: undefined; answer: AuditIntegrity };
  'GET /v1/audit/keys': { query: object; body: undefined; answer: AuditSigningKeys };
  'GET /v1/audit/pairs': { query: { from?: string | undefined; to?: string | undefined; agent?: string | undefined; server?: string | undefined; tool?: string | undefined; isNew?: boolean | "true" | "false" | undefined; limit?: number | undefined }; body: undefined; answer: AuditPairs };
  'GET /v1/audit/proof': { query: { fromBlock?: number | undefined; throughBlock?: number | undefined; from?: string | undefined; through?: string | undefined }; body: undefined; answer: undefined };
  'GET /v1/audit/retention': { query: object; body: undefined; answer: AuditRetention };
  'GET /v1/audit/tail': { query: { agent?: string | undefined; group?: string | undefined; owner?: string | undefined; operator?: string | undefined; server?: string | undefined; tool?: string | undefined; task?: string | undefined; onBehalfOf?: string | undefined; claimedAgent?: string | undefined; method?: string | undefined; decision?: "allow" | "deny" | "none" | undefined; status?: "pending" | "success" | "tool_error" | "denied" | "refused" | "upstream_error" | "timeout" | "cancelled" | "error" | "unknown" | undefined; durationMsMin?: number | undefined; durationMsMax?: number | undefined; revision?: number | undefined; revisionMin?: number | undefined; revisionMax?: number | undefined; traceId?: string | undefined; requestId?: string | undefined; node?: string | undefined; argumentsText?: string | undefined; resultText?: string | undefined; q?: string | undefined }; body: undefined; answer: undefined };
  'GET /v1/audit/timeline': { query: { limit?: number | undefined; cursor?: string | undefined; agent?: string | undefined; traceId?: string | undefined; from?: string | undefined; to?: string | undefined }; body: undefined; answer: AuditRecordPage };
  'GET /v1/audit/verify': { query: { fromBlock?: number | undefined; throughBlock?: number | undefined; from?: string | undefined; through?: string | undefined }; body: undefined; answer: undefined };
  'GET /v1/budgets': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: BudgetPage };
  'GET /v1/budgets/{id}': { query: object; body: undefined; answer: Budget };
  'GET /v1/costs': { query: { by?: "agent" | "owner" | "group" | "server" | "tool" | "month" | "day" | undefined; from?: string | undefined; to?: string | undefined; agent?: string | undefined; server?: string | undefined; tool?: string | undefined; format?: "json" | "csv" | undefined }; body: undefined; answer: Costs };
  'GET /v1/costs/calls': { query: { limit?: number | undefined; cursor?: string | undefined; from?: string | undefined; to?: string | undefined; agent?: string | undefined; server?: string | undefined; tool?: string | undefined }; body: undefined; answer: CostedCallPage };
  'GET /v1/credentials': { query: { limit?: number | undefined; cursor?: string | undefined; server?: string | undefined; agent?: string | undefined; status?: "ready" | "unconnected" | "reconnect" | undefined }; body: undefined; answer: CredentialPage };
  'GET /v1/credentials/{id}': { query: object; body: undefined; answer: Credential };
  'GET /v1/drift': { query: { limit?: number | undefined; cursor?: string | undefined; from?: string | undefined; to?: string | undefined; server?: string | undefined; change?: "added" | "changed" | "removed" | "returned" | "server" | "tls_key" | undefined; state?: "pending" | "approved" | "changed" | "rejected" | "removed" | undefined; name?: string | undefined; decided?: boolean | "true" | "false" | undefined }; body: undefined; answer: DriftPage };
  'GET /v1/drift/{id}': { query: object; body: undefined; answer: DriftChangeDetail };
  'GET /v1/epochs/current': { query: object; body: undefined; answer: Epoch };
  'GET /v1/grants': { query: { limit?: number | undefined; cursor?: string | undefined; agent?: string | undefined; group?: string | undefined; server?: string | undefined; mode?: "enforce" | "shadow" | undefined }; body: undefined; answer: GrantPage };
  'GET /v1/grants/{id}': { query: object; body: undefined; answer: Grant };
  'GET /v1/grants/{id}/shadow-report': { query: { since?: string | undefined }; body: undefined; answer: ShadowReport };
  'GET /v1/groups': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: GroupPage };
  'GET /v1/groups/{group}': { query: object; body: undefined; answer: Group };
  'GET /v1/groups/{group}/members': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: AgentPage };
  'GET /v1/imports': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: ImportPage };
  'GET /v1/imports/{id}': { query: object; body: undefined; answer: Import };
  'GET /v1/imports/{id}/rows': { query: { limit?: number | undefined; cursor?: string | undefined; state?: "created" | "updated" | "unchanged" | "skipped" | "failed" | "error" | undefined }; body: undefined; answer: ImportRowPage };
  'GET /v1/keys': { query: object; body: undefined; answer: KeyRingReport };
  'GET /v1/limits': { query: { limit?: number | undefined; cursor?: string | undefined; agent?: string | undefined; group?: string | undefined; server?: string | undefined }; body: undefined; answer: LimitPage };
  'GET /v1/limits/{id}': { query: object; body: undefined; answer: Limit };
  'GET /v1/nodes': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: NodePage };
  'GET /v1/operators': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: OperatorPage };
  'GET /v1/operators/{operator}': { query: object; body: undefined; answer: Operator };
  'GET /v1/operators/{operator}/tokens': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: OperatorTokenPage };
  'GET /v1/policy/export': { query: object; body: undefined; answer: string };
  'GET /v1/policy/least-privilege': { query: { limit?: number | undefined; cursor?: string | undefined; days?: number | undefined; kind?: "unused" | "broad" | "agents" | undefined; agent?: string | undefined }; body: undefined; answer: LeastPrivilegePage };
  'GET /v1/prices': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: PricePage };
  'GET /v1/prices/{id}': { query: object; body: undefined; answer: Price };
  'GET /v1/profiles': { query: { limit?: number | undefined; cursor?: string | undefined; server?: string | undefined; state?: "pending" | "approved" | "rejected" | "superseded" | undefined }; body: undefined; answer: LaunchProfilePage };
  'GET /v1/requestable': { query: { limit?: number | undefined; cursor?: string | undefined; agent?: string | undefined; group?: string | undefined; server?: string | undefined }; body: undefined; answer: RequestablePage };
  'GET /v1/requestable/{id}': { query: object; body: undefined; answer: Requestable };
  'GET /v1/revisions': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: RevisionPage };
  'GET /v1/revisions/{revision}': { query: object; body: undefined; answer: RevisionDetail };
  'GET /v1/runners': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: RunnerPage };
  'GET /v1/runners/{id}': { query: object; body: undefined; answer: Runner };
  'GET /v1/search': { query: { limit?: number | undefined; cursor?: string | undefined; q: string; kind?: "server" | "tool" | "prompt" | "resource" | "resource_template" | undefined; server?: string | undefined; state?: "pending" | "approved" | "changed" | "rejected" | "removed" | undefined }; body: undefined; answer: SearchPage };
  'GET /v1/servers': { query: { limit?: number | undefined; cursor?: string | undefined; q?: string | undefined; tag?: string | undefined; environment?: string | undefined; enabled?: boolean | "true" | "false" | undefined }; body: undefined; answer: ServerPage };
  'GET /v1/servers/{server}': { query: object; body: undefined; answer: Server };
  'GET /v1/servers/{server}/definitions': { query: { limit?: number | undefined; cursor?: string | undefined; state?: "pending" | "approved" | "changed" | "rejected" | "removed" | undefined; kind?: "tool" | "prompt" | "resource" | "resource_template" | "instructions" | undefined; q?: string | undefined }; body: undefined; answer: DefinitionPage };
  'GET /v1/servers/{server}/definitions/{id}/diff': { query: object; body: undefined; answer: DefinitionDiff };
  'GET /v1/servers/{server}/log': { query: object; body: undefined; answer: ServerLog };
  'GET /v1/servers/{server}/profiles/{version}': { query: object; body: undefined; answer: LaunchProfileVersion };
  'GET /v1/servers/{server}/tls': { query: object; body: undefined; answer: ServerTls };
  'GET /v1/settings': { query: object; body: undefined; answer: Settings };
  'GET /v1/webhooks': { query: { limit?: number | undefined; cursor?: string | undefined }; body: undefined; answer: WebhookPage };
  'GET /v1/webhooks/{id}': { query: object; body: undefined; answer: Webhook };
  'GET /v1/webhooks/{id}/deliveries': { query: { limit?: number | undefined; cursor?: string | undefined; state?: "pending" | "delivered" | "dead" | undefined }; body: undefined; answer: WebhookDeliveryPage };
  'PATCH /v1/agents/{agent}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: UpdateAgent; answer: Agent };
  'PATCH /v1/alert-rules/{id}': { query: object; body: UpdateAlertRule; answer: AlertRule };
  'PATCH /v1/budgets/{id}': { query: object; body: UpdateBudget; answer: Budget };
  'PATCH /v1/grants/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: UpdateGrant; answer: Grant };
  'PATCH /v1/limits/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: UpdateLimit; answer: Limit };
  'PATCH /v1/operators/{operator}': { query: object; body: UpdateOperator; answer: Operator };
  'PATCH /v1/requestable/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: UpdateRequestable; answer: Requestable };
  'PATCH /v1/servers/{server}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: UpdateServer; answer: Server };
  'PATCH /v1/settings': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: UpdateSettings; answer: Settings };
  'PATCH /v1/webhooks/{id}': { query: object; body: UpdateWebhook; answer: Webhook };
  'POST /v1/access-requests': { query: object; body: CreateAccessRequest; answer: AccessRequest };
  'POST /v1/access-requests/{id}/approve': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: ApproveAccessRequest; answer: AccessRequest };
  'POST /v1/access-requests/{id}/deny': { query: object; body: DenyAccessRequest; answer: AccessRequest };
  'POST /v1/access-requests/{id}/withdraw': { query: object; body: undefined; answer: AccessRequest };
  'POST /v1/agents': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateAgent; answer: ApplyResult | Agent };
  'POST /v1/agents/{agent}/identities': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateAgentIdentity; answer: ApplyResult | AgentIdentity };
  'POST /v1/agents/{agent}/keys': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateAgentKey; answer: ApplyResult | CreatedAgentKey };
  'POST /v1/agents/{agent}/keys/{key}/rotate': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: RotateAgentKey; answer: ApplyResult | RotatedAgentKey };
  'POST /v1/agents/{agent}/task-keys': { query: object; body: CreateTaskKey; answer: CreatedTaskKey };
  'POST /v1/alert-rules': { query: object; body: CreateAlertRule; answer: AlertRule };
  'POST /v1/audit/calls/{callId}/replay': { query: object; body: ReplayCall; answer: ReplayResult };
  'POST /v1/audit/holds': { query: object; body: CreateAuditHold; answer: AuditHold };
  'POST /v1/audit/retention/runs': { query: object; body: RunAuditRetention; answer: AuditRetentionRun };
  'POST /v1/budgets': { query: object; body: CreateBudget; answer: Budget };
  'POST /v1/credentials': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateCredential; answer: ApplyResult | Credential };
  'POST /v1/credentials/{id}/connect': { query: object; body: BeginConnection; answer: CredentialConnection };
  'POST /v1/credentials/{id}/connection': { query: object; body: FinishConnection; answer: Credential };
  'POST /v1/definitions/approve': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: DecideSelection; answer: SelectionDecision };
  'POST /v1/definitions/reject': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: DecideSelection; answer: SelectionDecision };
  'POST /v1/epochs': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateEpoch; answer: ApplyResult | Epoch };
  'POST /v1/grants': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateGrant; answer: ApplyResult | Grant };
  'POST /v1/groups': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateGroup; answer: ApplyResult | Group };
  'POST /v1/imports': { query: { source?: "jsonl" | "mcp.json" | "registry" | "csv" | undefined; origin?: string | undefined; dryRun?: boolean | "true" | "false" | undefined; id?: string | undefined }; body: string; answer: ApplyResult | Import };
  'POST /v1/imports/registry': { query: object; body: PullRegistry; answer: Import };
  'POST /v1/imports/{id}/cancel': { query: object; body: undefined; answer: Import };
  'POST /v1/keys/master/reseal': { query: object; body: undefined; answer: MasterKeyState };
  'POST /v1/keys/{purpose}/rotate': { query: object; body: RotateKey; answer: KeyGenerations };
  'POST /v1/limits': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateLimit; answer: ApplyResult | Limit };
  'POST /v1/nodes/join-tokens': { query: object; body: CreateJoinToken; answer: JoinToken };
  'POST /v1/operators': { query: object; body: CreateOperator; answer: Operator };
  'POST /v1/operators/{operator}/tokens': { query: object; body: CreateOperatorToken; answer: CreatedOperatorToken };
  'POST /v1/policy/apply': { query: { wait?: "all" | undefined; timeout?: number | undefined; reason?: string | undefined; dryRun?: boolean | "true" | "false" | undefined }; body: ApplyRequest; answer: ApplyResult };
  'POST /v1/policy/explain': { query: object; body: ExplainRequest; answer: ExplainResponse };
  'POST /v1/policy/import': { query: { wait?: "all" | undefined; timeout?: number | undefined; reason?: string | undefined; dryRun?: boolean | "true" | "false" | undefined; prune?: boolean | "true" | "false" | undefined }; body: string; answer: ApplyResult };
  'POST /v1/policy/preview': { query: { limit?: number | undefined; cursor?: string | undefined }; body: PreviewRequest; answer: Preview };
  'POST /v1/prices': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreatePrice; answer: ApplyResult | Price };
  'POST /v1/requestable': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateRequestable; answer: ApplyResult | Requestable };
  'POST /v1/revisions/{revision}/revert': { query: { wait?: "all" | undefined; timeout?: number | undefined; reason?: string | undefined; dryRun?: boolean | "true" | "false" | undefined }; body: RevertRevision; answer: RevisionDetail | ApplyResult };
  'POST /v1/runners/join-tokens': { query: object; body: CreateJoinToken; answer: JoinToken };
  'POST /v1/servers': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: CreateServer; answer: ApplyResult | Server };
  'POST /v1/servers/{server}/definitions/approve': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: DecideDefinitions; answer: DecideDefinitionsResult };
  'POST /v1/servers/{server}/definitions/reject': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: DecideDefinitions; answer: DecideDefinitionsResult };
  'POST /v1/servers/{server}/discovery': { query: { waitSeconds?: number | undefined }; body: undefined; answer: DiscoveryReport };
  'POST /v1/servers/{server}/move': { query: object; body: MoveServer; answer: undefined };
  'POST /v1/servers/{server}/profiles': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: ProposeLaunchProfile; answer: ApplyResult | LaunchProfileVersion };
  'POST /v1/servers/{server}/profiles/{version}/approve': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: ApproveLaunchProfile; answer: LaunchProfileVersion };
  'POST /v1/servers/{server}/profiles/{version}/reject': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: RejectLaunchProfile; answer: LaunchProfileVersion };
  'POST /v1/servers/{server}/restart': { query: object; body: RestartServer; answer: undefined };
  'POST /v1/servers/{server}/resume': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: ResumeServer; answer: Server };
  'POST /v1/webhooks': { query: object; body: CreateWebhook; answer: WebhookWithSecret };
  'POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver': { query: object; body: undefined; answer: WebhookDelivery };
  'POST /v1/webhooks/{id}/rotate-secret': { query: object; body: RotateWebhookSecret; answer: WebhookWithSecret };
  'POST /v1/webhooks/{id}/test': { query: object; body: undefined; answer: WebhookTestResult };
  'PUT /v1/audit/retention': { query: object; body: SetAuditRetention; answer: AuditRetention };
  'PUT /v1/credentials/{id}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: ReplaceCredential; answer: Credential };
  'PUT /v1/groups/{group}/members/{agent}': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: undefined; answer: ApplyResult | undefined };
  'PUT /v1/servers/{server}/tls': { query: { wait?: "all" | undefined; timeout?: number | undefined; dryRun?: boolean | "true" | "false" | undefined; reason?: string | undefined }; body: ReplaceServerTls; answer: ServerTls };
}
