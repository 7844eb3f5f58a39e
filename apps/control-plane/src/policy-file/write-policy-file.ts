import type { FileGrant, FileRequestable } from '@portcullis/contracts/api/policy-file';
import { stringify } from 'yaml';
import type { WholePolicy } from './read-policy.js';

const HEADER = '# What agents may use. What is left out is as usual: enabled, no owner, tools, allow, enforce, a day.\n';

/** The file of a policy: the same policy gives the same bytes, and what is as usual is left out. */
export function writePolicyFile({ version, settings, servers, agents, groups, grants, requestable, limits }: WholePolicy): string {
  const file = {
    version,
    settings: sorted(settings),
    servers: mapped(servers, ({ tags, environment, protocol, enabled, auditCapture, answerRules }) =>
      unusual(
        { tags, environment, protocol, enabled, auditCapture, answerRules },
        { tags: [], environment: null, protocol: 'auto', enabled: true, auditCapture: null, answerRules: null },
      ),
    ),
    agents: mapped(agents, (agent, slug) => unusual(agent, { name: slug, owner: null, toolNameStyle: 'double-underscore', enabled: true })),
    groups: mapped(groups, (group, slug) => unusual(group, { name: slug, members: [] })),
    grants: grants.map(usualGrant),
    requestable: requestable.map(usualRule),
    limits: limits.map(({ id, ...limit }) => ({ ...limit, id })),
  };
  return HEADER + stringify(file, { version: '1.2', schema: 'core', aliasDuplicateObjects: false, lineWidth: 0 });
}

function usualGrant({ id, ...grant }: FileGrant): object {
  const usual = { kind: 'tools', effect: 'allow', condition: null, pinned: null, rateLimit: null, mode: 'enforce', notBefore: null, expiresAt: null };
  return { ...unusual(grant, usual), id };
}

function usualRule({ id, ...rule }: FileRequestable): object {
  return { ...unusual(rule, { kind: 'tools', durationSecondsMax: 86_400 }), id };
}

/** Members that are not as usual, in their own order. */
function unusual(value: object, usual: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(value).filter(
      ([member, found]) => found !== undefined && (!Object.hasOwn(usual, member) || JSON.stringify(found) !== JSON.stringify(usual[member])),
    ),
  );
}

const mapped = <Value>(values: Readonly<Record<string, Value>>, map: (value: Value, slug: string) => object): object =>
  Object.fromEntries(Object.entries(values).map(([slug, value]) => [slug, map(value, slug)]));

const sorted = (value: object): object => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
