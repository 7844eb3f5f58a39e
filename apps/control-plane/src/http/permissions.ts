import type { OperatorRole } from '@portcullis/database';

/** What an operator may do, by noun. Every route behind the operators' door names one. */
export const permissions = [
  'agents:read',
  'agents:write',
  'audit:read',
  'epochs:read',
  'epochs:write',
  'grants:read',
  'grants:write',
  'groups:read',
  'groups:write',
  'nodes:read',
  'nodes:write',
  'operators:read',
  'operators:write',
  'policy:read',
  'policy:write',
  'revisions:read',
  'servers:read',
  'servers:write',
  'settings:read',
  'settings:write',
] as const;

export type Permission = (typeof permissions)[number];

const readings: ReadonlySet<Permission> = new Set(permissions.filter((permission) => permission.endsWith(':read')));
const everything: ReadonlySet<Permission> = new Set(permissions);

/** An auditor reads inventory, policy and audit, and writes nothing. */
const permissionsOf: Readonly<Record<OperatorRole, ReadonlySet<Permission>>> = { admin: everything, auditor: readings };

export function isPermitted(role: OperatorRole, permission: Permission): boolean {
  return permissionsOf[role].has(permission);
}
