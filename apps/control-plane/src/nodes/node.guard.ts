import { applyDecorators, createParamDecorator, Inject, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Node } from '@portcullis/database';
import type { FastifyRequest } from 'fastify';
import { bearerOf } from '../http/access.guard.js';
import { requireHolder } from '../http/require-holder.js';
import { markDoor } from '../http/route-marks.js';
import { KeyRing } from '../keys/key-ring.js';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { NodesRepository } from './nodes.repository.js';

type NodeRequest = FastifyRequest & { node?: Node };

/** The nodes' own door: a node's key passes, nothing else does. */
@Injectable()
export class NodeGuard implements CanActivate {
  constructor(
    @Inject(NodesRepository) private readonly nodes: NodesRepository,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(FailedSignIns) private readonly signIns: FailedSignIns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<NodeRequest>();
    const token = bearerOf(request);
    const holder = (): Promise<Node> => requireHolder('node', token, this.keys, (keyId) => this.nodes.byKeyId(keyId));
    request.node = await this.signIns.attempt(request, { door: 'node', token }, holder);
    return true;
  }
}

/** Only a node with its own key passes. */
export const NodesOnly = (): MethodDecorator & ClassDecorator => applyDecorators(markDoor({ kind: 'node' }), UseGuards(NodeGuard));

/** The node that sent the request; only on routes behind the nodes' door. */
export const CallingNode = createParamDecorator((_data: undefined, context: ExecutionContext): Node => {
  const { node } = context.switchToHttp().getRequest<NodeRequest>();
  if (node === undefined) throw new Error('The route is not behind the nodes’ door');
  return node;
});
