import { RequestMethod } from '@nestjs/common';
import { INTERCEPTORS_METADATA, METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { PolicyAnswer } from '../changes/changes-policy.js';
import { AUDIT_MARK, DOOR, type AuditMark, type Door } from '../http/route-marks.js';
import type { TestApp } from './start-test-app.js';

export interface MarkedRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly door: Door | undefined;
  readonly audit: AuditMark | undefined;
  readonly changesPolicy: boolean;
}

/** Every handler of every controller, as Nest has registered them. */
export function markedRoutes({ app }: TestApp): MarkedRoute[] {
  const reflector = app.get(Reflector);
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ instance, metatype }) => {
    const prototype = Object.getPrototypeOf(instance) as object;
    return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
      const handler = Reflect.get(prototype, name) as () => void;
      const method: RequestMethod | undefined = Reflect.getMetadata(METHOD_METADATA, handler);
      if (method === undefined) return [];
      const parts = [Reflect.getMetadata(PATH_METADATA, metatype as object), Reflect.getMetadata(PATH_METADATA, handler)].map(String);
      const path = `/${parts.join('/').split('/').filter(Boolean).join('/')}`;
      const door = reflector.getAllAndOverride<Door | undefined>(DOOR, [handler, metatype as () => void]);
      const interceptors: unknown[] = Reflect.getMetadata(INTERCEPTORS_METADATA, handler) ?? [];
      return [
        {
          method: RequestMethod[method] as MarkedRoute['method'],
          path,
          door,
          audit: reflector.get<AuditMark | undefined>(AUDIT_MARK, handler),
          changesPolicy: interceptors.includes(PolicyAnswer),
        },
      ];
    });
  });
}
