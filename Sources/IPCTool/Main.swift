// placeholder
import IPC
print("hi")
