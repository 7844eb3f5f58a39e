export { isUniqueViolation, openDatabase, type Transaction } from './open-database.js';
export { Prisma, PrismaClient } from './generated/prisma/client.js';
export type {
  Agent,
  AgentKey,
  AuditEvent,
  Definition,
  Grant,
  Group,
  Import,
  ImportRow,
  JoinToken,
  KeyRingEntry,
  Node,
  Operator,
  OperatorToken,
  PolicyState,
  Revision,
  Server,
} from './generated/prisma/client.js';
export {
  ChunkKind,
  DefinitionKind,
  DefinitionState,
  EraKind,
  GrantEffect,
  ImportRowState,
  ImportState,
  KeyPurpose,
  OperatorRole,
  Protocol,
  TargetKind,
  ToolNameStyle,
} from './generated/prisma/enums.js';
