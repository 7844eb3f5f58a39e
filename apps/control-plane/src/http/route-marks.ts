import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import type { Permission } from './permissions.js';

/**
 * Who may pass a route. `operator` is checked by the global guard; the others by the guard that their own
 * decorator brings. No controller is open to everybody; the OpenAPI document and its page are served beside them.
 */
export type Door = { readonly kind: 'operator'; readonly permission: Permission } | { readonly kind: 'node' | 'join' | 'runner' | 'runner-join' };

/** What a mutating route leaves in the audit trail, or why it leaves nothing. */
export type AuditMark = { readonly action: string } | { readonly why: string };

export const DOOR = 'portcullis:door';
export const AUDIT_MARK = 'portcullis:audit';
/** The route checks its query parameters itself. */
export const QUERY_CHECKED = 'portcullis:query-checked';

/** The handler reads the body itself, as it comes. */
export const STREAMS_BODY = 'portcullis:streams-body';
export const StreamsBody = (): MethodDecorator => applyDecorators(SetMetadata(STREAMS_BODY, true), ApiExtension(STREAMED_EXTENSION, true));

/** Where the OpenAPI document says so. */
export const STREAMED_EXTENSION = 'x-streamed';

export const markDoor = (door: Door): MethodDecorator & ClassDecorator => SetMetadata(DOOR, door);

/** Operators whose role has this permission pass. */
export const Requires = (permission: Permission): MethodDecorator & ClassDecorator =>
  applyDecorators(markDoor({ kind: 'operator', permission }), ApiBearerAuth('operator'));

/** This route records the action in the transaction of its change. A test walks the routes for it. */
export const Audited = (action: string): MethodDecorator =>
  applyDecorators(SetMetadata(AUDIT_MARK, { action } satisfies AuditMark), ApiExtension(AUDIT_EXTENSION, action));

/** Where the OpenAPI document names what an operation leaves in the audit trail. */
export const AUDIT_EXTENSION = 'x-audit-action';

export const NotAudited = (why: string): MethodDecorator => SetMetadata(AUDIT_MARK, { why } satisfies AuditMark);
