print("fuseline")
