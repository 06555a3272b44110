import { Type } from 'typebox';
import { isoTime } from '../../core/time.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const About = Type.Object({
  version: Type.String(),
  node: Type.String(),
  sqlite: Type.Union([Type.String(), Type.Null()]),
  platform: Type.String({ description: 'Operating system and processor' }),
  started_at: Type.String({ format: 'date-time' }),
});

/** What runs here, for whoever reports a fault. Not for everybody: versions tell an attacker what to try. */
export const aboutRoutes: Routes = (scope, { clock, version }) => {
  const startedAt = isoTime(clock.now());
  scope.get(
    '/api/about',
    { schema: { tags: ['server'], summary: 'Read which versions run', response: answers({ 200: About }) } },
    async (_request, reply) =>
      reply.header('cache-control', 'no-store').send({
        version,
        node: process.versions.node,
        sqlite: process.versions.sqlite ?? null,
        platform: `${process.platform} ${process.arch}`,
        started_at: startedAt,
      }),
  );
};
