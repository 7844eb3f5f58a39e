import { GatewayError } from '@portcullis/contracts/errors';
import type { PolicySnapshot } from '@portcullis/snapshot';
import { isIssuerTrusted } from '../caller/trusted-issuer.js';
import { NOWHERE, Roster, type Enrolled } from '../memory/roster.js';

/** A call at its server, by what may be taken away from under it. */
export class RevocableCall implements Enrolled {
  rosterPlace = NOWHERE;

  constructor(
    readonly agentId: string,
    readonly keyId: string,
    readonly serverId: string,
    readonly end: (reason: GatewayError) => void,
  ) {}
}

/**
 * The calls that are at their servers. One whose key, agent, issuer or server was revoked or switched off is ended as soon as this node serves
 * the snapshot that says so: its server is told, its answer is withheld.
 */
export class ForwardedCalls {
  private readonly calls = new Roster<RevocableCall>();

  constructor(private readonly policy: { current(): PolicySnapshot | undefined }) {}

  /** `decidedBy` is the snapshot that let the call pass; what has changed since then counts at once. */
  add(call: RevocableCall, decidedBy: PolicySnapshot): void {
    this.calls.add(call);
    const live = this.policy.current();
    if (live !== undefined && live !== decidedBy) endIfRevoked(call, live);
  }

  remove(call: RevocableCall): void {
    this.calls.remove(call);
  }

  /** This node stops: what is still at its server ends now, so that it leaves its outcome and its server is told. */
  stop(): void {
    this.calls.forEach(({ end }) => end(new GatewayError('node.stopping')));
  }

  /** A new snapshot is served. */
  policyApplied(live: PolicySnapshot): void {
    const { agentIds, serverIds, settings } = live.changed;
    if (agentIds.size === 0 && serverIds.size === 0 && !settings) return;
    this.calls.forEach((call) => {
      if (settings || agentIds.has(call.agentId) || serverIds.has(call.serverId)) endIfRevoked(call, live);
    });
  }
}

function endIfRevoked({ agentId, keyId, serverId, end }: RevocableCall, live: PolicySnapshot): void {
  const found = live.agentByKeyId.get(keyId);
  if (found?.agent.id !== agentId || !found.agent.enabled || !isIssuerTrusted(keyId, live.settings))
    end(new GatewayError('auth.revoked_in_flight', { keyId }));
  else if (live.servers.get(serverId)?.enabled !== true) end(new GatewayError('policy.revoked_in_flight', { serverId }));
}
