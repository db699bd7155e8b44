-- run once, when the volume is empty; the bridge makes its tables by itself
CREATE DATABASE queue OWNER mailbridge;
