/** One suite per file suffix: .spec.ts is pure and fast, .int.spec.ts touches disk or sockets, .e2e.spec.ts starts the built program. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/eventstore'],
  // Only says when a test counts as stuck.
  testTimeout: 60_000,
  testMatch: ['**/*.spec.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        module: { type: 'es6' },
        sourceMaps: 'inline',
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
      },
    ],
  },
  moduleNameMapper: {
    '^#kernel/(.*)\\.js$': '<rootDir>/libs/kernel/$1.ts',
    '^#eventstore/(.*)\\.js$': '<rootDir>/eventstore/$1.ts',
    '^#platform/(.*)\\.js$': '<rootDir>/libs/platform/$1.ts',
    '^#libs/(.*)\\.js$': '<rootDir>/libs/$1.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
};
