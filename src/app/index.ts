export { createApp, type App, type AppDeps } from './create-app.js';
