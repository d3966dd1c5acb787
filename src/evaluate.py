from thermal_landmarks.commands.evaluate import main

if __name__ == "__main__":
    main()
