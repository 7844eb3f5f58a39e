import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { AccessRequestsModule } from './access-requests/access-requests.module.js';
import { AgentsModule } from './agents/agents.module.js';
import { AlertsModule } from './alerts/alerts.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuditProofModule } from './audit-proof/audit-proof.module.js';
import { ChangesModule } from './changes/changes.module.js';
import type { Metrics } from '@portcullis/boot';
import type { Config } from './config.js';
import { CostModule } from './cost/cost.module.js';
import { CredentialsModule } from './credentials/credentials.module.js';
import { DatabaseModule } from './database/database.module.js';
import { DraftsModule } from './drafts/drafts.module.js';
import { EpochsModule } from './epochs/epochs.module.js';
import { DriftModule } from './drift/drift.module.js';
import { GrantsModule } from './grants/grants.module.js';
import { GroupsModule } from './groups/groups.module.js';
import { AccessGuard } from './http/access.guard.js';
import { ConditionalRequests } from './http/conditional-requests.js';
import { UndeclaredInputGuard } from './http/undeclared-input.guard.js';
import { IdempotencyModule } from './idempotency/idempotency.module.js';
import { IdempotentRequests } from './idempotency/idempotent-requests.js';
import { ImportsModule } from './imports/imports.module.js';
import { KeysModule } from './keys/keys.module.js';
import { LaunchModule } from './launch/launch.module.js';
import { LeastPrivilegeModule } from './least-privilege/least-privilege.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { NodesModule } from './nodes/nodes.module.js';
import { OperatorsModule } from './operators/operators.module.js';
import { PolicyModule } from './policy/policy.module.js';
import { PolicyFileModule } from './policy-file/policy-file.module.js';
import { RedisModule } from './redis/redis.module.js';
import { ReplayModule } from './replay/replay.module.js';
import { RevisionsModule } from './revisions/revisions.module.js';
import { RunnersModule } from './runners/runners.module.js';
import { SearchModule } from './search/search.module.js';
import { ServersModule } from './servers/servers.module.js';
import { SettingsModule } from './settings/settings.module.js';
import { SnapshotsModule } from './snapshots/snapshots.module.js';

/** Everything the process is made of, one module per noun. */
@Module({})
export class AppModule {
  static with(config: Config, metrics?: Metrics): DynamicModule {
    return {
      module: AppModule,
      imports: [
        DatabaseModule.at(config.databaseUrl),
        KeysModule.sealedUnder(config),
        MetricsModule.of(metrics),
        RedisModule.at(config.redisUrl),
        ChangesModule,
        IdempotencyModule,
        SnapshotsModule,
        NodesModule.joinedWith(config.joinToken),
        RunnersModule.joinedWith(config.runnerJoinToken),
        OperatorsModule.with(config.bootstrapTokenFile, config.operatorOidc),
        ServersModule,
        LaunchModule,
        ImportsModule.with(config.imports),
        SearchModule,
        CredentialsModule.with(config.credentials),
        AgentsModule,
        GroupsModule,
        GrantsModule,
        AccessRequestsModule,
        LimitsModule,
        PolicyModule,
        DraftsModule,
        PolicyFileModule,
        LeastPrivilegeModule,
        RevisionsModule,
        SettingsModule,
        EpochsModule,
        AuditModule,
        AlertsModule.with(config.alerts),
        AuditProofModule.anchoredAt(config.auditAnchors),
        CostModule.with(config.alerts),
        ReplayModule.with({ egressAllow: config.alerts?.egressAllow }),
        DriftModule,
      ],
      providers: [
        // In this order: whoever may not pass learns nothing about the request's faults.
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_GUARD, useClass: UndeclaredInputGuard },
        { provide: APP_INTERCEPTOR, useClass: ConditionalRequests },
        { provide: APP_INTERCEPTOR, useClass: IdempotentRequests },
      ],
    };
  }
}
