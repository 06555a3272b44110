import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plugin } from '../../src/core/plugin.ts';
import { managed } from '../task/support.ts';

/** The plugins that the mission had moved to `TaskContext`, with the sources that each has to name. */
const MIGRATED: Readonly<Record<string, readonly string[]>> = {
  BackupPlugin: ['superset_api', 'storage'],
  MigrationPlugin: ['superset_api', 'migration'],
  GitPlugin: ['git', 'superset_api'],
  MapperPlugin: ['superset_api', 'postgres'],
  SearchPlugin: ['superset_api', 'search'],
  DebugPlugin: ['debug', 'superset_api'],
  StoragePlugin: ['storage', 'filesystem'],
  DashboardValidationPlugin: ['llm', 'screenshot', 'superset_api'],
  DocumentationPlugin: ['llm', 'superset_api'],
};

type OldParams = { readonly _task_log: (message: string, level?: string) => void };

for (const [name, sources] of Object.entries(MIGRATED)) {
  test(`${name} names ${sources.join(', ')} once it has a context, and ran without one before`, async (t) => {
    const before: Plugin<OldParams> = {
      ...{ id: `${name}.before`, name },
      execute: (params) => {
        for (const source of sources) params._task_log(`${source} did its part`);
      },
    };
    const after: Plugin = {
      ...{ id: `${name}.after`, name },
      execute: (_params, context) => {
        context.logger.info('begins');
        for (const source of sources) context.logger.withSource(source).info(`${source} did its part`);
        context.logger.info('ends');
      },
    };
    const { trail, done } = await managed(t, { plugins: [before, after] });
    const old = await done(before.id);
    const { logs } = await trail.logs(old.taskId, { sources: ['plugin'] });
    assert.deepEqual(
      logs.map(({ message }) => message),
      sources.map((source) => `${source} did its part`),
    );
    const migrated = await done(after.id);
    assert.deepEqual([...(await trail.sources(migrated.taskId))].sort(), ['plugin', 'system', ...sources].sort());
    for (const source of sources) {
      const { logs: own } = await trail.logs(migrated.taskId, { sources: [source] });
      assert.deepEqual(
        own.map(({ message }) => message),
        [`${source} did its part`],
      );
    }
  });
}
