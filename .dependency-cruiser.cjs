/** Import rules of CONTRIBUTING.md: one row per folder, the only things it may import. */
const npm = (...names) => names.map((n) => `node_modules/${n}/`);
const allow = (name, from, to, packages = [], builtins = false) => ({
  name: `imports-of-${name}`,
  comment: `${from} may import only: ${[...to, ...packages].join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: from },
  to: {
    pathNot: [from, ...to, ...npm(...packages), '^node_modules/@types/'],
    ...(builtins ? { dependencyTypesNot: ['core'] } : {}),
  },
});
const TFJS = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-cpu',
];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-imports-app',
      severity: 'error',
      from: { path: '^(src|pipelines|adapters)/', pathNot: '^src/app/' },
      to: { path: '^src/app/' },
    },
    {
      name: 'nothing-imports-test',
      severity: 'error',
      from: { path: '^(src|pipelines|adapters)/' },
      to: { path: '^(test|bench|fixtures|scripts)/' },
    },
    {
      name: 'one-door-to-pipelines-and-adapters',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/app/' },
      to: { path: '^(pipelines|adapters)/' },
    },
    {
      name: 'no-adapter-to-adapter',
      severity: 'error',
      from: { path: '^adapters/([^/]+/[^/]+)/' },
      to: { path: '^adapters/', pathNot: '^adapters/$1/' },
    },
    {
      name: 'not-to-dev-dependencies',
      severity: 'error',
      from: { path: '^(src|pipelines|adapters)/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/@types/' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@tensorflow/tfjs-node' },
    },
    allow('domain', '^src/domain/', []),
    allow('errors', '^src/errors\\.ts$', ['^src/domain/']),
    allow('features', '^src/features/', ['^src/domain/', '^src/errors\\.ts$']),
    allow('protocol', '^src/protocol/', ['^src/domain/', '^src/errors\\.ts$'], ['zod']),
    allow('config', '^src/config\\.ts$', ['^src/domain/', '^src/errors\\.ts$', '^src/protocol/live\\.ts$'], ['zod']),
    allow(
      'server',
      '^src/server/',
      ['^src/domain/', '^src/protocol/', '^src/config\\.ts$', '^src/errors\\.ts$', '^src/adapter\\.ts$'],
      ['rxjs', 'ws', 'fastify', 'jose', 'prom-client', 'zod'],
      true,
    ),
    // What runs in browsers takes nothing of the protocol that brings the schema library.
    allow('client', '^src/client/(?!browser/)', [
      '^src/domain/',
      '^src/errors\\.ts$',
      '^src/protocol/(live|mediaFrame)\\.ts$',
    ]),
    allow('browser', '^src/client/browser/(?!vision/)', [
      '^src/client/',
      '^src/domain/',
      '^src/errors\\.ts$',
      '^src/protocol/(live|mediaFrame)\\.ts$',
    ]),
    allow('dashboard', '^src/dashboard/', ['^src/client/', '^src/domain/', '^src/protocol/live\\.ts$']),
    // What reads pictures is large: pages load it only where they look at pictures.
    {
      name: 'browser-loads-vision-when-used',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/client/browser/vision/' },
      to: { path: '^src/client/browser/vision/', dependencyTypesNot: ['dynamic-import'] },
    },
    allow(
      'browser-vision',
      '^src/client/browser/vision/',
      ['^src/client/browser/', '^src/domain/', '^src/errors\\.ts$', '^src/adapter\\.ts$', '^src/vision/'],
      ['@mediapipe/tasks-vision'],
    ),
    allow('operators', '^src/operators/', ['^src/domain/'], ['rxjs']),
    allow('adapter', '^src/adapter\\.ts$', ['^src/domain/', '^src/errors\\.ts$'], ['rxjs']),
    // Pictures do not leave it, so the rows of docs/features.md are made there.
    allow(
      'vision',
      '^src/vision/',
      ['^src/domain/', '^src/errors\\.ts$', '^src/adapter\\.ts$', '^src/features/(face|body)/'],
      ['@mediapipe/tasks-vision'],
    ),
    allow('model', '^src/model/', ['^src/domain/', '^src/errors\\.ts$'], TFJS),
    allow(
      'training',
      '^src/training/',
      ['^src/domain/', '^src/errors\\.ts$', '^src/features/', '^src/model/'],
      [...TFJS, 'zod'],
      true,
    ),
    allow('pipelines', '^pipelines/', ['^src/domain/', '^src/operators/', '^src/features/'], ['rxjs']),
    {
      name: 'imports-of-adapters',
      severity: 'error',
      from: { path: '^adapters/', pathNot: '^adapters/vision/' },
      to: { path: '^src/', pathNot: ['^src/domain/', '^src/adapter\\.ts$', '^src/errors\\.ts$'] },
    },
    {
      name: 'imports-of-vision-adapters',
      severity: 'error',
      from: { path: '^adapters/vision/' },
      to: {
        path: '^src/',
        pathNot: ['^src/domain/', '^src/adapter\\.ts$', '^src/errors\\.ts$', '^src/vision/'],
      },
    },
    {
      name: 'imports-of-index',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^(src/(app|server|dashboard)/|pipelines/|adapters/)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
