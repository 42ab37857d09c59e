// Packages that publish ES modules only but are loaded with require() by CommonJS dependencies
// (fastify -> light-my-request -> cookie, @fastify/static -> content-disposition). Node 20.19+ can
// require() them; jest can only from Node 24.9, so @swc/jest turns them into CommonJS for tests.
const esmOnlyRequiredByCjs = ['cookie', 'content-disposition'];

const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  transform: {
    '^.+\\.ts$': '@swc/jest',
    [`/node_modules/(${esmOnlyRequiredByCjs.join('|')})/.+\\.js$`]: [
      '@swc/jest',
      { swcrc: false, jsc: { target: 'es2023' } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:.*/)?(?:${esmOnlyRequiredByCjs.join('|')})/)`],
};

// unit: pure, no engine, no child process. engines: the real embedded engines and the service over HTTP.
/** @type {import('jest').Config} */
export default {
  testTimeout: 60_000,
  // Many of the engines' tests wait for a disk, a lease or a child: three at a time are quicker than two even on two cores. A
  // worker that has loaded many files is begun anew.
  maxWorkers: 3,
  workerIdleMemoryLimit: '1500MB',
  projects: [
    { ...common, displayName: 'unit', roots: ['<rootDir>/test'], testMatch: ['**/*.spec.ts'] },
    { ...common, displayName: 'engines', roots: ['<rootDir>/test'], testMatch: ['**/*.e2e-spec.ts'] },
  ],
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', 'projections/**/*.ts', '!src/main.ts'],
  coverageReporters: ['text-summary', 'lcov'],
};
