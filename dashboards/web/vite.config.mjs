// The dashboard page: Preact and uPlot, no plugin. The service serves dist/dashboards under /dashboard/.
export default {
  root: 'dashboards/web',
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../../dist/dashboards', emptyOutDir: true, target: 'es2023' },
};
