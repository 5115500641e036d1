export { compileSelection, RENDERED_ONCE, type RenderSelection, rootSelection, type RootSelection } from './compile.js';
