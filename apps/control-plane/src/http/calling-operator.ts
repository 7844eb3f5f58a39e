import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Caller } from '../operators/operator-tokens.js';
import type { OperatorRequest } from './access.guard.js';

/** The operator who sent the request; only on routes behind the operators' door. */
export const CallingOperator = createParamDecorator((_data: undefined, context: ExecutionContext): Caller => {
  const { operator } = context.switchToHttp().getRequest<OperatorRequest>();
  if (operator === undefined) throw new Error('The route is not behind the operators’ door');
  return operator;
});
