export {
  compileSelection,
  type Rendered,
  RENDERED_ONCE,
  type RenderSelection,
  rootSelection,
  type RootSelection,
} from './compile.js';
