import { Type } from 'typebox';
import { NewTokenShape, TokenBody, TokenShape, tokenToWire } from '../access-shapes.ts';
import { expiryOf } from '../auth/expiry.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const tags = ['access'];
const Params = Type.Object({ token_id: Type.String() });

/** What programs show to be let in. */
export const tokenRoutes: Routes = (scope, { access, clock }) => {
  scope.get(
    '/api/tokens',
    {
      config: { role: 'admin' },
      schema: {
        tags,
        summary: 'List tokens, without what they are',
        response: answers({ 200: Type.Object({ tokens: Type.Array(TokenShape) }) }),
      },
    },
    async (_request, reply) => {
      const tokens = access.tokens().map((token) => tokenToWire(token, clock.now()));
      return reply.header('cache-control', 'no-store').send({ tokens });
    },
  );
  scope.post(
    '/api/tokens',
    {
      config: { role: 'admin', audit: 'token.create' },
      schema: {
        tags,
        summary: 'Make a token',
        description: 'The answer shows it this once. Without an expiry it holds until it is revoked.',
        body: TokenBody,
        response: answers({ 201: NewTokenShape }),
      },
    },
    async (request, reply) => {
      const { name, role, ...fields } = request.body;
      const expiresAt = expiryOf(fields, { nowMs: clock.now() }) ?? null;
      const { token, credential } = await access.createToken({ name, role, expiresAt }, request.caller?.name ?? null);
      request.audited = { id: credential.id, details: { name: credential.name, role, expires_at: expiresAt } };
      const shown = tokenToWire({ credential, fixed: null, usedAt: null }, clock.now());
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...shown, token });
    },
  );
  scope.delete(
    '/api/tokens/:token_id',
    {
      config: { role: 'admin', audit: 'token.revoke' },
      schema: {
        tags,
        summary: 'Revoke a token',
        description: 'At once, with the sessions that were got for it; what it follows ends.',
        params: Params,
        response: answers({ 204: Type.Null() }),
      },
    },
    async (request, reply) => {
      const { id, name, role } = await access.revokeToken(request.params.token_id);
      request.audited = { id, details: { name, role } };
      return reply.code(204).send();
    },
  );
};
