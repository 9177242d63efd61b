/** What the commands open: loaded lazily, and with it React and ink. */
export { openScreen } from "./open_screen.tsx";
export { openDashboard } from "./dashboard/open.tsx";
export { openWizard } from "./wizard/open.tsx";
