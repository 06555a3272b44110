import { Type } from 'typebox';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const nullable = Type.Union([Type.String(), Type.Null()]);
const PluginList = Type.Object({
  plugins: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      description: nullable,
      version: nullable,
      parameters: Type.Object({}, { description: 'JSON Schema of `params`' }),
      restartable: Type.Boolean({ description: 'Runs again when the server stopped in the middle' }),
      pausable: Type.Boolean(),
      approval: Type.Boolean({ description: 'A person must approve each run before it starts' }),
    }),
  ),
});

const AgentList = Type.Object({
  agents: Type.Array(
    Type.Object({
      id: Type.String({ description: 'What `agent` of a new task names' }),
      name: Type.String({ description: 'What its output is read as' }),
    }),
  ),
});

/** What can be run. */
export const pluginRoutes: Routes = (scope, { tasks }) => {
  scope.get(
    '/api/plugins',
    {
      schema: {
        tags: ['plugins'],
        summary: 'List what can be run, with the parameters of each',
        response: answers({ 200: PluginList }),
      },
    },
    async (_request, reply) => reply.send({ plugins: tasks.plugins() }),
  );
  scope.get(
    '/api/agents',
    {
      schema: {
        tags: ['plugins'],
        summary: 'List the agents that can be run',
        response: answers({ 200: AgentList }),
      },
    },
    async (_request, reply) => reply.send({ agents: tasks.agents().map(({ id, name }) => ({ id, name })) }),
  );
};
