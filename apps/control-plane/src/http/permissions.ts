import type { OperatorRole } from '@portcullis/database';

/** What an operator may do, by noun. Every route behind the operators' door names one. */
export const permissions = [
  'access-requests:decide',
  'access-requests:read',
  'access-requests:write',
  'agents:read',
  'agents:write',
  'alerts:read',
  'alerts:write',
  'audit:read',
  'audit:write',
  'calls:replay',
  'costs:read',
  'costs:write',
  'credentials:read',
  'credentials:write',
  'epochs:read',
  'epochs:write',
  'grants:read',
  'grants:write',
  'groups:read',
  'groups:write',
  'keys:read',
  'keys:write',
  'limits:read',
  'limits:write',
  'nodes:read',
  'nodes:write',
  'operators:read',
  'operators:write',
  'policy:read',
  'policy:write',
  'profiles:approve',
  'revisions:read',
  'runners:read',
  'runners:write',
  'servers:read',
  'servers:write',
  'settings:read',
  'settings:write',
  'task-keys:write',
] as const;

export type Permission = (typeof permissions)[number];

const readings: ReadonlySet<Permission> = new Set(permissions.filter((permission) => permission.endsWith(':read')));
const everything: ReadonlySet<Permission> = new Set(permissions);

/** What a look at the inventory and its policy takes. */
const inventory: readonly Permission[] = [
  'access-requests:read',
  'agents:read',
  'grants:read',
  'groups:read',
  'limits:read',
  'policy:read',
  'servers:read',
];

/**
 * An auditor reads everything and writes nothing. Asking for access changes nothing, so whoever sees the inventory may. A key for a task gives nothing
 * that its agent has not: an agent's owner may make one, whatever else they may. Whoever decides on access may also make a call again that only reads.
 */
const permissionsOf: Readonly<Record<OperatorRole, ReadonlySet<Permission>>> = {
  admin: everything,
  auditor: readings,
  approver: new Set<Permission>([
    ...inventory,
    'access-requests:write',
    'task-keys:write',
    'access-requests:decide',
    'audit:read',
    'calls:replay',
    'revisions:read',
  ]),
  viewer: new Set<Permission>([
    ...inventory,
    'access-requests:write',
    'task-keys:write',
    'nodes:read',
    'revisions:read',
    'runners:read',
    'settings:read',
  ]),
};

export function isPermitted(role: OperatorRole, permission: Permission): boolean {
  return permissionsOf[role].has(permission);
}
