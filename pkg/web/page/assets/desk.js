// What makes the help desk better where scripts run. Everything works without.
"use strict";
