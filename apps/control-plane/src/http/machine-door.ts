import {
  applyDecorators,
  createParamDecorator,
  Inject,
  Injectable,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { KeyRing } from '../keys/key-ring.js';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { bearerOf } from './access.guard.js';
import { requireHolder, type HeldKey } from './require-holder.js';
import { markDoor } from './route-marks.js';

/** Who has a door of their own: nodes and runners. */
export type MachineKind = 'node' | 'runner';

type MachineRequest = FastifyRequest & { machine?: HeldKey };

/** The doors of machines: through each passes whoever holds a key of its kind, and nobody else. */
@Injectable()
export class MachineDoor {
  constructor(
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(FailedSignIns) private readonly signIns: FailedSignIns,
  ) {}

  async admit(context: ExecutionContext, kind: MachineKind, find: (keyId: string) => Promise<HeldKey | null>): Promise<true> {
    const request = context.switchToHttp().getRequest<MachineRequest>();
    const token = bearerOf(request);
    request.machine = await this.signIns.attempt(request, { door: kind, token }, () => requireHolder(kind, token, this.keys, find));
    return true;
  }
}

/** Marks routes that only machines of this kind reach, by this guard. */
export const machinesOnly = (kind: MachineKind, guard: Type<CanActivate>) => (): MethodDecorator & ClassDecorator =>
  applyDecorators(markDoor({ kind }), UseGuards(guard));

/** The machine that sent the request; only on routes behind the door that admits it. */
export const callingMachine = <Machine extends HeldKey>() =>
  createParamDecorator((_data: undefined, context: ExecutionContext): Machine => {
    const { machine } = context.switchToHttp().getRequest<MachineRequest>();
    if (machine === undefined) throw new Error('The route is not behind the door of a machine');
    return machine as Machine;
  });
